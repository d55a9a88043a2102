// WritePermission: whether a request may store something at this site. Immutable; any thread.
#pragma once

#include <optional>

#include "node/api/errors.h"
#include "node/api/options.h"

namespace cairn::api {

class WritePermission {
 public:
  explicit WritePermission(WritePolicy policy) : policy_(policy) {}

  /// Why not; nothing when it may.
  std::optional<Refusal> refusal() const {
    switch (policy_) {
      case WritePolicy::anyone: return std::nullopt;
      case WritePolicy::accounts: return Refusal::login_needed;
      case WritePolicy::nobody: return Refusal::writes_closed;
    }
    return Refusal::denied;
  }

 private:
  const WritePolicy policy_;
};

}  // namespace cairn::api
