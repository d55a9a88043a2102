#include "node/api/write_permission.h"

#include "node/api/account_api.h"

namespace cairn::api {

std::optional<Refusal> WritePermission::refusal(const http::Request& request) const {
  if (policy_ == WritePolicy::anyone) return std::nullopt;
  if (policy_ == WritePolicy::nobody) return Refusal::writes_closed;
  const std::string_view token = bearer_of(request);
  if (token.empty()) return Refusal::login_needed;
  const auto claims = tokens_.verify(token, site_, clock_.wall());
  const bool may = claims && claims->action == LoginAction::login;
  return may ? std::nullopt : std::optional(Refusal::bad_token);
}

}  // namespace cairn::api
