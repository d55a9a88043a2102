// UsedNonces: which nonces have been logged in with, until they are too old anyway. Only a login
// whose signature was right uses one up, so nobody fills this for others. Any thread.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "crypto/challenge.h"

namespace cairn::api {

class UsedNonces {
 public:
  static constexpr std::size_t kMost = 100'000;

  /// True the first time; false again, and when there is no room.
  bool use(const ChallengeKey::Nonce& nonce, WallTime now) {
    const std::lock_guard lock(mutex_);
    while (!used_.empty() && used_.begin()->first <= now) used_.erase(used_.begin());
    if (used_.size() >= kMost) return false;
    return used_.emplace(nonce.expires, nonce.id).second;
  }

 private:
  std::mutex mutex_;
  std::set<std::pair<WallTime, ChallengeKey::NonceId>> used_;  ///< Soonest to expire first.
};

}  // namespace cairn::api
