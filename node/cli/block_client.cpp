#include "node/cli/block_client.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/hash.h"
#include "node/config_text.h"

namespace cairn::cli {
namespace {

namespace http = boost::beast::http;

std::string block_target(const BlockId& id) {
  return "/v1/blocks/" + id.text();
}

Result<std::vector<BlockId>> ids_in(const Reply& reply) {
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(
      boost::json::string_view(reinterpret_cast<const char*>(reply.body.data()), reply.body.size()),
      error);
  const boost::json::value* list =
      !error && parsed.is_object() ? parsed.as_object().if_contains("missing") : nullptr;
  if (list == nullptr || !list->is_array()) {
    return fail(Errc::malformed, "the answer is not the list of missing ids");
  }
  std::vector<BlockId> out;
  for (const boost::json::value& item : list->as_array()) {
    const auto id = item.is_string()
                        ? BlockId::from_text({item.as_string().data(), item.as_string().size()})
                        : std::nullopt;
    if (!id) return fail(Errc::malformed, "the answer names something that is no id");
    out.push_back(*id);
  }
  return out;
}

/// Only a Cairn site's own word counts as "not held"; the answer to a HEAD has its type alone.
Error error_of_404(const Reply& reply) {
  const std::string_view body = as_text(reply.body);
  const bool by_site = body.empty() ? reply.field("Content-Type") == "application/problem+json"
                                    : body.find("\"/problems/not-held\"") != std::string_view::npos;
  if (by_site) return fail(Errc::not_found, "not held by the server");
  return fail(
      Errc::malformed,
      "the server answers, but not as a Cairn site (404); is this an address of listen.http?");
}

}  // namespace

Error error_of(const Reply& reply) {
  switch (reply.status) {
    case 401:
    case 403: return fail(Errc::denied, reply.words());
    case 404: return error_of_404(reply);
    case 429: return fail(Errc::overloaded, reply.words());
    case 502:
    case 503:
    case 504: return fail(Errc::unavailable, reply.words());
    case 507: return fail(Errc::full, reply.words());
    default: return fail(Errc::malformed, reply.words());
  }
}

BlockClient::BlockClient(Executor executor, const ServerAddress& server, Contact& contact)
    : http_(executor, server, contact) {}

Task<Result<BlockClient::PutOutcome>> BlockClient::put(BlockId id, Bytes bytes) {
  const Call call{http::verb::put, block_target(id), "application/octet-stream", std::move(bytes)};
  auto reply = co_await http_.send(call);
  if (!reply) co_return reply.error();
  if (reply.value().status == 201) co_return PutOutcome::created;
  if (reply.value().status == 200) co_return PutOutcome::held;
  co_return error_of(reply.value());
}

Task<Result<Bytes>> BlockClient::get(BlockId id) {
  const Call call{http::verb::get, block_target(id), {}, {}};
  auto reply = co_await http_.send(call);
  if (!reply) co_return reply.error();
  if (reply.value().status != 200) co_return error_of(reply.value());
  if (block_id_of(reply.value().body) != id) {
    co_return fail(Errc::corrupt, "the bytes that came are not those that the id names");
  }
  co_return std::move(reply.value().body);
}

Task<Result<BlockClient::Stat>> BlockClient::stat(BlockId id) {
  const Call call{http::verb::head, block_target(id), {}, {}};
  auto reply = co_await http_.send(call);
  if (!reply) co_return reply.error();
  if (reply.value().status != 200) co_return error_of(reply.value());
  const auto size = parse_count(reply.value().field("Content-Length"));
  if (!size) co_return fail(Errc::malformed, "the answer has no Content-Length");
  co_return Stat{*size, std::string(reply.value().field("Cairn-Source"))};
}

Task<Result<std::vector<BlockId>>> BlockClient::missing(std::vector<BlockId> ids) {
  boost::json::array list;
  for (const BlockId& id : ids) list.emplace_back(id.text());
  const std::string body = boost::json::serialize(boost::json::object{{"ids", std::move(list)}});
  const ByteView view = as_bytes(body);
  const Call call{http::verb::post, "/v1/blocks/missing", "application/json",
                  Bytes(view.begin(), view.end())};
  auto reply = co_await http_.send(call);
  if (!reply) co_return reply.error();
  if (reply.value().status != 200) co_return error_of(reply.value());
  co_return ids_in(reply.value());
}

}  // namespace cairn::cli
