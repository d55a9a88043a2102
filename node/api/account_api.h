// AccountApi: the routes of accounts over an AccountStore (docs/openapi.yaml is their contract).
// Refusals and their timing do not tell whether a handle has an account. Shared by all cores.
#pragma once

#include <optional>
#include <string>

#include "base/account_store.h"
#include "base/budget.h"
#include "crypto/challenge.h"
#include "crypto/token.h"
#include "node/api/errors.h"
#include "node/api/options.h"
#include "node/api/rate_limiter.h"
#include "node/api/routes.h"
#include "node/api/used_nonces.h"
#include "node/http/body_reader.h"
#include "node/http/request.h"
#include "node/http/response.h"

namespace cairn::api {

/// What the accounts of all sites share; it outlives them.
struct AccountWorld {
  AccountStore& store;
  const TokenKey& tokens;
  const ChallengeKey& challenges;
  UsedNonces& used;
  RateLimiter& by_client;
  RateLimiter& by_handle;
  Random& random;  ///< Any thread.
};

class AccountApi {
 public:
  /// All of it outlives this.
  AccountApi(const AccountWorld& world, ByteBudget& bodies, const Clock& clock,
             const ApiOptions& options);

  /// Answers what belongs to one of the routes of accounts, by a method that it takes.
  Task<void> handle(const http::Request& request, http::BodyReader& body, const RouteMatch& match,
                    http::Response& response);

 private:
  Task<void> put(const http::Request& request, http::BodyReader& body, std::string handle,
                 http::Response& response);
  Task<void> challenge(std::string handle, http::Response& response);
  Task<void> log_in(const http::Request& request, http::BodyReader& body, std::string handle,
                    http::Response& response);
  Task<void> refresh(const http::Request& request, http::Response& response);
  Task<void> me(const http::Request& request, http::Response& response);
  Task<void> remove(const http::Request& request, std::string handle, http::Response& response);
  /// The account of the request's token, where that may act for it now; else `response` says no.
  Task<std::optional<Account>> account_of(const http::Request& request, TokenClaims& claims,
                                          http::Response& response);
  bool counted(const http::Request& request, std::string_view handle, http::Response& response);
  std::string token_json(const TokenClaims& claims) const;
  Deadline deadline() const { return clock_.in(options_.deadline); }

  const AccountWorld world_;
  ByteBudget& bodies_;
  const Clock& clock_;
  const ApiOptions options_;
};

/// The token of Authorization: Bearer; empty without one.
std::string_view bearer_of(const http::Request& request);

}  // namespace cairn::api
