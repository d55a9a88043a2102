#include "node/cli/http_client.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>
#include <chrono>

#include "node/build_info.h"

namespace cairn::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::chrono::seconds kConnectTimeout{10};
/// Of one call, however it drips.
constexpr std::chrono::minutes kLongestCall{30};
/// What the kernel takes beyond what is on its way: the rest would look sent long before it is.
constexpr int kUnsentBytes = 64 << 10;
constexpr std::uint64_t kMostBodyBytes = std::uint64_t{64} << 20;
constexpr auto kTuple = asio::as_tuple(kAwait);

Error network_error(const ServerAddress& server, const std::string& doing,
                    const beast::error_code& error) {
  return fail(Errc::unavailable,
              "http://" + server.authority + ": " + doing + ": " +
                  (error == beast::error::timeout ? "timed out" : error.message()));
}

}  // namespace

Result<ServerAddress> parse_server(std::string_view url) {
  if (url.starts_with("https://")) {
    return fail(Errc::malformed, "https is not available in this version; use http://");
  }
  if (!url.starts_with("http://")) {
    return fail(Errc::malformed, "the server must be written as http://host:port");
  }
  std::string_view rest = url.substr(7);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty() || rest.find_first_of("/?#@ ") != std::string_view::npos) {
    return fail(Errc::malformed, "the server must be http://host:port without a path");
  }
  ServerAddress out;
  out.authority = rest;
  const std::size_t colon = rest.rfind(':');
  const bool six = rest.front() == '[';
  if (colon != std::string_view::npos && (!six || rest[colon - 1] == ']')) {
    out.port = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  if (six && rest.back() == ']') rest = rest.substr(1, rest.size() - 2);
  out.host = rest;
  return out;
}

std::string_view Reply::field(std::string_view name) const {
  const auto found = fields.find(beast::string_view(name.data(), name.size()));
  if (found == fields.end()) return {};
  return {found->value().data(), found->value().size()};
}

std::string Reply::words() const {
  const std::string code = std::to_string(status);
  if (field("Content-Type") != "application/problem+json") return "the server answered " + code;
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(
      boost::json::string_view(reinterpret_cast<const char*>(body.data()), body.size()), error);
  if (error || !parsed.is_object()) return "the server answered " + code;
  std::string out;
  for (const char* key : {"title", "detail", "hint"}) {
    const boost::json::value* value = parsed.as_object().if_contains(key);
    if (value == nullptr || !value->is_string() || value->as_string().empty()) continue;
    if (out.ends_with('.')) out.pop_back();
    if (!out.empty()) out += "; ";
    out += std::string(value->as_string());
  }
  return out + " (" + code + ")";
}

HttpClient::HttpClient(Executor executor, const ServerAddress& server,
                       std::chrono::milliseconds stall)
    : executor_(std::move(executor)), server_(server), stall_(stall) {}

Task<Result<Reply>> HttpClient::send(const Call& call) {
  const bool kept = stream_ != nullptr && used_;
  if (stream_ == nullptr) {
    auto connected = co_await connect();
    if (!connected) co_return connected.error();
  }
  auto reply = co_await exchange(call);
  if (reply || !kept || reply.error().code != Errc::unavailable) co_return reply;
  // A kept connection may have been closed by the server just as we used it; every call of ours may
  // be sent twice.
  auto connected = co_await connect();
  if (!connected) co_return connected.error();
  co_return co_await exchange(call);
}

Task<Result<void>> HttpClient::connect() {
  stream_ = nullptr;
  used_ = false;
  buffer_.clear();
  asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver(executor_);
  auto [failed, found] = co_await resolver.async_resolve(server_.host, server_.port, kTuple);
  if (failed) co_return network_error(server_, "cannot find the host", failed);
  auto stream = std::make_unique<Stream>(executor_);
  stream->expires_after(kConnectTimeout);
  auto [refused, endpoint] = co_await stream->async_connect(found, kTuple);
  if (refused) co_return network_error(server_, "cannot connect", refused);
  beast::error_code ignored;
  stream->socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  ::setsockopt(stream->socket().native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes,
               sizeof kUnsentBytes);
  stream_ = std::move(stream);
  co_return ok();
}

void HttpClient::set_deadline() {
  stream_->expires_at(std::min(std::chrono::steady_clock::now() + stall_, give_up_at_));
}

template <class Message>
Task<beast::error_code> HttpClient::write(Message& message) {
  http::request_serializer<typename Message::body_type> serializer(message);
  while (!serializer.is_done()) {
    set_deadline();
    auto [error, sent] = co_await http::async_write_some(*stream_, serializer, kTuple);
    if (error) co_return error;
  }
  co_return beast::error_code{};
}

template <class Parser>
Task<beast::error_code> HttpClient::read(Parser& parser) {
  parser.eager(true);
  while (!parser.is_done()) {
    set_deadline();
    auto [error, received] = co_await http::async_read_some(*stream_, buffer_, parser, kTuple);
    if (error) co_return error;
  }
  co_return beast::error_code{};
}

Task<Result<Reply>> HttpClient::exchange(const Call& call) {
  http::request<http::span_body<const std::uint8_t>> request(call.method, call.target, 11);
  request.set(http::field::host, server_.authority);
  request.set(http::field::user_agent, std::string("cairn/") + kVersion);
  if (!call.content_type.empty()) request.set(http::field::content_type, call.content_type);
  for (const auto& [name, value] : call.fields) request.set(name, value);
  request.body() = beast::span<const std::uint8_t>(call.body.data(), call.body.size());
  request.prepare_payload();
  give_up_at_ = std::chrono::steady_clock::now() + kLongestCall;

  const beast::error_code unsent = co_await write(request);
  // A server that refuses before it has read the body has answered already: read that first.
  http::response_parser<http::vector_body<std::uint8_t>> parser;
  parser.body_limit(kMostBodyBytes);
  parser.skip(call.method == http::verb::head);
  const beast::error_code broken = co_await read(parser);
  if (broken) {
    stream_ = nullptr;
    if (unsent) co_return network_error(server_, "cannot send", unsent);
    if (broken == http::error::body_limit) {
      co_return fail(Errc::malformed, "the answer is larger than 64MiB");
    }
    co_return network_error(server_, "no answer", broken);
  }
  auto message = parser.release();
  Reply reply{message.result_int(), std::move(message.base()), std::move(message.body())};
  if (message.keep_alive() && !unsent) {
    used_ = true;
  } else {
    stream_ = nullptr;
  }
  co_return reply;
}

}  // namespace cairn::cli
