#include "node/account_admin.h"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "crypto/account_record.h"
#include "crypto/hash.h"
#include "node/http/percent.h"
#include "node/http/problem.h"

namespace cairn {
namespace {

namespace json = boost::json;

constexpr std::string_view kAccounts = "/admin/v1/accounts";
constexpr std::size_t kPage = 500;
constexpr std::size_t kCodeBytes = 16;

void answer(http::Response& response, std::uint16_t status, const json::object& object) {
  response.set_text(status, "application/json", json::serialize(object) + "\n");
  response.fields.add_lines("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
  response.answered_by = "admin";
}

void refuse(http::Response& response, std::uint16_t status, std::string_view type,
            std::string_view title, std::string_view hint) {
  http::set_problem(response,
                    {.status = status, .type = type, .title = title, .detail = {}, .hint = hint});
  response.answered_by = "admin";
}

void refuse(http::Response& response, const Error& error) {
  if (error.code == Errc::not_found) {
    return refuse(response, 404, "no-such-account", "There is no such account",
                  "cairn account list shows the handles of a site (--site).");
  }
  refuse(response, 503, "unavailable", "The store does not answer",
         "Try again; see the event log.");
}

json::object as_json(const Account& account) {
  json::array slots;
  std::uint64_t version = 0;
  if (const auto record = read_known_account_record(account.record)) {
    version = record.value().version;
    for (const AccountSlot& slot : record.value().slots) {
      constexpr std::array<const char*, 4> kNames{"", "password", "recovery", "device"};
      slots.emplace_back(kNames[static_cast<std::size_t>(slot.kind)]);
    }
  }
  return {{"handle", account.name.handle},
          {"site", account.name.site},
          {"version", version},
          {"slots", std::move(slots)},
          {"created_ms", static_cast<std::int64_t>(account.created)},
          {"blocked", account.blocked}};
}

}  // namespace

Task<void> AccountAdmin::handle(const http::Request& request, http::Response& response) {
  const bool reads = request.method == http::Method::get || request.method == http::Method::head;
  const bool posts = request.method == http::Method::post;
  std::optional<std::string> named = http::query_value(request.query, "site");
  std::optional<std::string> after = http::query_value(request.query, "after");
  if (!named || !after) {
    co_return refuse(response, 400, "bad-query", "The query has a bad percent-escape",
                     "Write each '%' of a value as %25.");
  }
  std::string site = named->empty() ? std::string("*") : std::move(*named);
  if (request.path == "/admin/v1/invites" && posts) {
    co_return co_await invite(std::move(site), response);
  }
  if (request.path == kAccounts && reads) {
    co_return co_await list(std::move(site), std::move(*after), response);
  }
  std::string_view rest = request.path.substr(std::min(kAccounts.size() + 1, request.path.size()));
  const std::size_t slash = rest.find('/');
  const std::string_view action =
      slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  AccountName name{std::move(site), std::string(rest.substr(0, slash))};
  if (is_handle(name.handle)) {
    if (action.empty() && reads) co_return co_await show(std::move(name), response);
    if (posts && (action == "block" || action == "unblock")) {
      co_return co_await set_blocked(std::move(name), action == "block", response);
    }
  }
  refuse(response, 404, "not-found", "Nothing is here",
         "GET /admin/v1/accounts[/HANDLE], POST …/HANDLE/block, …/unblock, /admin/v1/invites.");
}

Task<void> AccountAdmin::list(std::string site, std::string after, http::Response& response) {
  const auto page = co_await accounts_.list(site, std::move(after), kPage, deadline());
  if (!page) co_return refuse(response, page.error());
  json::array accounts;
  for (const Account& account : page.value()) accounts.emplace_back(as_json(account));
  const bool more = page.value().size() == kPage;
  answer(response, 200, {{"accounts", std::move(accounts)}, {"more", more}});
}

Task<void> AccountAdmin::show(AccountName name, http::Response& response) {
  const auto account = co_await accounts_.get(std::move(name), deadline());
  if (!account) co_return refuse(response, account.error());
  answer(response, 200, as_json(account.value()));
}

Task<void> AccountAdmin::set_blocked(AccountName name, bool blocked, http::Response& response) {
  const auto changed = co_await accounts_.set_blocked(name, blocked, deadline());
  if (!changed) co_return refuse(response, changed.error());
  co_await show(std::move(name), response);
}

Task<void> AccountAdmin::invite(std::string site, http::Response& response) {
  Bytes raw(kCodeBytes);
  random_.fill(raw);
  const std::string code = to_base64url(raw);
  const auto added = co_await accounts_.add_invite(site, sha256_of(as_bytes(code)), deadline());
  if (!added) co_return refuse(response, added.error());
  answer(response, 201, {{"code", code}, {"site", site}});
}

}  // namespace cairn
