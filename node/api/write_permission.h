// WritePermission: whether a request may store something at this site. Immutable; any thread.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "crypto/token.h"
#include "node/api/errors.h"
#include "node/api/options.h"
#include "node/http/request.h"

namespace cairn::api {

class WritePermission {
 public:
  /// `tokens` and `clock` outlive this.
  WritePermission(const ApiOptions& options, const TokenKey& tokens, const Clock& clock)
      : policy_(options.write), site_(options.account_site), tokens_(tokens), clock_(clock) {}

  /// Why not; nothing when it may. A token is good for its whole life: who was blocked, or has
  /// removed a slot, may write until it ends (kTokenLife).
  std::optional<Refusal> refusal(const http::Request& request) const;

 private:
  const WritePolicy policy_;
  const std::string site_;
  const TokenKey& tokens_;
  const Clock& clock_;
};

}  // namespace cairn::api
