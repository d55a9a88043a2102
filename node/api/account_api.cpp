#include "node/api/account_api.h"

#include <utility>

#include "base/log.h"
#include "crypto/hash.h"
#include "node/api/json_answer.h"
#include "node/api/login_request.h"
#include "node/api/upload.h"
#include "node/http/percent.h"

namespace cairn::api {
namespace {

std::string kdf_json(const PasswordKdf& kdf) {
  std::string out = "{\"algorithm\":\"argon2id\",\"memory_kib\":";
  out.append(std::to_string(kdf.memory_kib)).append(",\"passes\":");
  out.append(std::to_string(kdf.passes)).append(",\"lanes\":1,\"salt\":\"");
  return out.append(to_base64url(kdf.salt)).append("\"}");
}

/// Whom a login of nobody is checked against, so that it takes as long.
AccountRecord nobody() {
  return {.version = 0, .login = {}, .handle = {}, .slots = {}};
}

std::int64_t seconds_of(WallTime time) {
  return static_cast<std::int64_t>(time) / 1000;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

std::string_view bearer_of(const http::Request& request) {
  const auto authorization = request.field("Authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization || authorization->size() <= kScheme.size() ||
      !http::equals_ignoring_case(authorization->substr(0, kScheme.size()), kScheme)) {
    return {};
  }
  return authorization->substr(kScheme.size());
}

AccountApi::AccountApi(const AccountWorld& world, ByteBudget& bodies, const Clock& clock,
                       const ApiOptions& options)
    : world_(world), bodies_(bodies), clock_(clock), options_(options) {}

bool AccountApi::counted(const http::Request& request, std::string_view handle,
                         http::Response& response) {
  std::string name = options_.account_site;
  name.append("/").append(handle);
  const bool allowed = world_.by_client.allow(network_of(request.peer)) &&
                       (handle.empty() || world_.by_handle.allow(name));
  if (!allowed) refuse(response, Refusal::too_often);
  return allowed;
}

Task<void> AccountApi::handle(const http::Request& request, http::BodyReader& body,
                              const RouteMatch& match, http::Response& response) {
  const Endpoint endpoint = match.route->endpoint;
  if (endpoint == Endpoint::me) co_return co_await me(request, response);
  if (endpoint == Endpoint::refresh) {
    if (!counted(request, {}, response)) co_return;
    co_return co_await refresh(request, response);
  }
  // It may hold '@' and '+', which some clients escape.
  auto handle = http::percent_decoded(match.id);
  if (!handle || !is_handle(*handle)) co_return refuse(response, Refusal::bad_handle);
  if (!counted(request, *handle, response)) co_return;
  if (endpoint == Endpoint::challenge) {
    co_return co_await challenge(std::move(*handle), response);
  }
  if (endpoint == Endpoint::login) {
    co_return co_await log_in(request, body, std::move(*handle), response);
  }
  if (request.method == http::Method::delete_) {
    co_return co_await remove(request, std::move(*handle), response);
  }
  co_return co_await put(request, body, std::move(*handle), response);
}

Task<void> AccountApi::put(const http::Request& request, http::BodyReader& body, std::string handle,
                           http::Response& response) {
  if (const auto refusal = refusal_of_body(request, kMaxAccountBytes)) {
    co_return refuse(response, *refusal);
  }
  const Taken<TextUpload> upload = co_await read_text(body, bodies_, kMaxAccountBytes);
  if (!upload) co_return refuse(response, upload.error().refusal, upload.error().detail);
  SignUp sign_up;
  sign_up.allowed = options_.sign_up != SignUpPolicy::closed;
  sign_up.needs_invite = options_.sign_up == SignUpPolicy::invite;
  if (const auto code = request.field("Cairn-Invite")) {
    sign_up.invite_hash = sha256_of(as_bytes(*code));
  }
  const ByteView raw = as_bytes(upload.value().text);
  Bytes record(raw.begin(), raw.end());
  AccountName name{options_.account_site, handle};
  const auto stored =
      co_await world_.store.put(std::move(name), std::move(record), sign_up, deadline());
  if (stored) {
    const bool created = stored.value() == Stored::created;
    co_return answer_json(response, created ? 201 : 200, "{\"handle\":\"" + handle + "\"}");
  }
  const Error& error = stored.error();
  switch (error.code) {
    case Errc::malformed: co_return refuse(response, Refusal::bad_record, error.detail);
    case Errc::denied: co_return refuse(response, Refusal::account_denied, error.detail);
    case Errc::conflict: co_return refuse(response, Refusal::handle_taken, error.detail);
    default: co_return refuse(response, refusal_of(error.code));
  }
}

Task<void> AccountApi::challenge(std::string handle, http::Response& response) {
  AccountName name{options_.account_site, handle};
  const auto account = co_await world_.store.get(std::move(name), deadline());
  if (!account && account.error().code != Errc::not_found) {
    co_return refuse(response, refusal_of(account.error().code));
  }
  // Made in any case: what it costs does not tell either.
  PasswordKdf kdf = world_.challenges.stand_in(options_.account_site, handle);
  if (account) {
    const auto record = read_known_account_record(account.value().record);
    if (record && record.value().password() != nullptr) kdf = *record.value().password()->kdf;
  }
  const WallTime now = clock_.wall();
  std::string out = "{\"nonce\":\"";
  out.append(world_.challenges.make(options_.account_site, handle, now, world_.random));
  out.append("\",\"kdf\":").append(kdf_json(kdf)).append(",\"expires_ms\":");
  out.append(std::to_string(std::chrono::milliseconds(kNonceLife).count())).append("}");
  answer_json(response, 200, std::move(out));
}

std::string AccountApi::token_json(const TokenClaims& claims) const {
  std::string out = "{\"token\":\"";
  out.append(world_.tokens.sign(claims)).append("\",\"expires_in\":");
  return out.append(std::to_string(claims.expires_s - claims.issued_s));
}

Task<void> AccountApi::log_in(const http::Request& request, http::BodyReader& body,
                              std::string handle, http::Response& response) {
  if (const auto refusal = refusal_of_body(request, kMaxLoginBytes)) {
    co_return refuse(response, *refusal);
  }
  if (!may_be_json(request)) co_return refuse(response, Refusal::wrong_content_type);
  const Taken<TextUpload> upload = co_await read_text(body, bodies_, kMaxLoginBytes);
  if (!upload) co_return refuse(response, upload.error().refusal, upload.error().detail);
  const auto asked = parse_login_request(upload.value().text);
  if (!asked) co_return refuse(response, Refusal::bad_json, asked.error().detail);
  const LoginRequest& login = asked.value();
  const WallTime now = clock_.wall();
  const auto nonce = world_.challenges.check(login.nonce, options_.account_site, handle, now);
  AccountName name{options_.account_site, handle};
  const auto account = co_await world_.store.get(std::move(name), deadline());
  if (!account && account.error().code != Errc::not_found) {
    co_return refuse(response, refusal_of(account.error().code));
  }
  const auto read =
      account ? read_known_account_record(account.value().record) : Result<AccountRecord>(nobody());
  if (!read) co_return refuse(response, Refusal::corrupt);
  const auto message = login_message(handle, lower(request.authority), login.nonce, login.action);
  // The signature is checked in any case, and everything that is wrong is one refusal.
  const bool right = message && verify(login.key, *message, login.signature);
  const bool known = read.value().may_log_in(login.key) && account.has_value();
  if (!right || !known || !nonce || !world_.used.use(*nonce, now)) {
    co_return refuse(response, Refusal::login_refused);
  }
  if (account.value().blocked && login.action == LoginAction::login) {
    co_return refuse(response, Refusal::account_blocked);
  }
  const std::int64_t now_s = seconds_of(now);
  const TokenClaims claims{.site = options_.account_site,
                           .handle = handle,
                           .login = read.value().login,
                           .key = login.key,
                           .action = login.action,
                           .issued_s = now_s,
                           .expires_s = now_s + std::chrono::seconds(kTokenLife).count(),
                           .authenticated_s = now_s};
  std::string out = token_json(claims);
  out.append(",\"record\":\"").append(to_base64url(account.value().record)).append("\"}");
  answer_json(response, 200, std::move(out));
}

Task<std::optional<Account>> AccountApi::account_of(const http::Request& request,
                                                    TokenClaims& claims, http::Response& response) {
  const auto verified =
      world_.tokens.verify(bearer_of(request), options_.account_site, clock_.wall());
  if (!verified) {
    refuse(response, Refusal::bad_token);
    co_return std::nullopt;
  }
  claims = *verified;
  AccountName name{options_.account_site, claims.handle};
  auto account = co_await world_.store.get(std::move(name), deadline());
  if (!account && account.error().code != Errc::not_found) {
    refuse(response, refusal_of(account.error().code));
    co_return std::nullopt;
  }
  const auto record =
      account ? read_known_account_record(account.value().record) : Result<AccountRecord>(nobody());
  const bool same = account && record && record.value().login == claims.login &&
                    record.value().may_log_in(claims.key);
  if (!same) {
    refuse(response, Refusal::bad_token);
    co_return std::nullopt;
  }
  co_return std::move(account.value());
}

Task<void> AccountApi::refresh(const http::Request& request, http::Response& response) {
  TokenClaims claims;
  const auto account = co_await account_of(request, claims, response);
  if (!account) co_return;
  const std::int64_t now_s = seconds_of(clock_.wall());
  const std::int64_t last_s = claims.authenticated_s + std::chrono::seconds(kSessionLife).count();
  if (claims.action != LoginAction::login || now_s >= last_s) {
    co_return refuse(response, Refusal::bad_token);
  }
  if (account->blocked) co_return refuse(response, Refusal::account_blocked);
  claims.issued_s = now_s;
  claims.expires_s = std::min(last_s, now_s + std::chrono::seconds(kTokenLife).count());
  answer_json(response, 200, token_json(claims).append("}"));
}

Task<void> AccountApi::me(const http::Request& request, http::Response& response) {
  TokenClaims claims;
  const auto account = co_await account_of(request, claims, response);
  if (!account) co_return;
  const auto record = read_known_account_record(account->record);
  std::string out = "{\"handle\":\"" + claims.handle + "\",\"version\":";
  out.append(std::to_string(record ? record.value().version : 0)).append("}");
  answer_json(response, 200, std::move(out));
}

Task<void> AccountApi::remove(const http::Request& request, std::string handle,
                              http::Response& response) {
  TokenClaims claims;
  const auto account = co_await account_of(request, claims, response);
  if (!account) co_return;
  if (claims.action != LoginAction::remove || claims.handle != handle) {
    co_return refuse(response, Refusal::bad_token,
                     "log in with the action \"delete\" for a token that may do this");
  }
  const auto removed = co_await world_.store.remove(account->name, deadline());
  if (!removed) co_return refuse(response, refusal_of(removed.error().code));
  response.status = 204;
  response.answered_by = "api";
}

}  // namespace cairn::api
