#include "cache/policy.h"

#include "cache/lru.h"
#include "cache/s3_fifo.h"

namespace cairn {

std::string_view name_of(PolicyKind kind) {
  return kind == PolicyKind::lru ? "lru" : "s3-fifo";
}

std::optional<PolicyKind> policy_from_name(std::string_view name) {
  for (const PolicyKind kind : {PolicyKind::lru, PolicyKind::s3_fifo}) {
    if (name == name_of(kind)) return kind;
  }
  return std::nullopt;
}

std::unique_ptr<CachePolicy> make_policy(PolicyKind kind) {
  if (kind == PolicyKind::lru) return std::make_unique<LruPolicy>();
  return std::make_unique<S3FifoPolicy>();
}

}  // namespace cairn
