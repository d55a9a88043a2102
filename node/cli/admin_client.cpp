#include "node/cli/admin_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>
#include <chrono>
#include <optional>

#include "base/task.h"
#include "base/timer.h"

namespace cairn::cli {
namespace {

constexpr std::chrono::seconds kStall{30};

Task<void> send_into(HttpClient& client, const Call& call, std::optional<Result<Reply>>& out) {
  out = co_await client.send(call);
}

}  // namespace

void AdminClient::pause(std::chrono::milliseconds wait) {
  IoContext io{1};
  Timer timer(io.get_executor(), wait);
  timer.async_wait([](const boost::system::error_code&) {});
  io.run();
}

Result<AdminClient> AdminClient::of(const ConfigArguments& arguments, const World& world) {
  const LoadedConfig loaded = load_layers(arguments, world);
  if (!loaded.ok()) {
    print_errors(world.err, loaded.errors);
    return fail(Errc::malformed, "the configuration has errors");
  }
  const std::string& address = loaded.config.listen.admin;
  if (address.empty()) {
    return fail(Errc::malformed, "listen.admin is empty: this node has no operator's listener");
  }
  return AdminClient(address);
}

Result<boost::json::object> AdminClient::ask(boost::beast::http::verb method,
                                             std::string_view target, std::string_view body) const {
  CAIRN_TRY(const ServerAddress server, parse_server("http://" + address_));
  const ByteView bytes = as_bytes(body);
  const Call call{method, std::string(target), body.empty() ? "" : "application/json",
                  Bytes(bytes.begin(), bytes.end())};
  IoContext io{1};
  HttpClient client(io.get_executor(), server, kStall);
  std::optional<Result<Reply>> answer;
  boost::asio::co_spawn(io, send_into(client, call, answer), [](const std::exception_ptr& bug) {
    if (bug) std::rethrow_exception(bug);
  });
  io.run();
  if (answer->has_error()) {
    Error error = answer->error();
    error.detail.append("; does the node run, and is ").append(address_);
    error.detail.append(" its listen.admin?");
    return error;
  }
  const Reply& reply = answer->value();
  if (reply.status == 401 || reply.status == 403) return fail(Errc::denied, reply.words());
  if (reply.status >= 300) return fail(Errc::malformed, reply.words());
  boost::system::error_code failed;
  const std::string_view text = as_text(reply.body);
  boost::json::value parsed = boost::json::parse(boost::json::string_view(text), failed);
  if (failed || !parsed.is_object()) {
    return fail(Errc::malformed, address_ + " does not answer as a Cairn node");
  }
  return std::move(parsed.as_object());
}

}  // namespace cairn::cli
