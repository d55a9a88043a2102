// Challenges: the nonces that a login signs, and what a node says of accounts that it does not
// have. A nonce carries its own proof, so that asking for one costs the node no memory. Any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "crypto/account_record.h"
#include "crypto/receipt.h"

namespace cairn {

/// A nonce is good for so long.
inline constexpr std::chrono::minutes kNonceLife{2};

class ChallengeKey {
 public:
  explicit ChallengeKey(const NodeSecret& secret);

  /// What tells one nonce from another.
  using NonceId = std::array<std::uint8_t, 16>;
  struct Nonce {
    NonceId id{};
    WallTime expires{};
  };

  /// base64url of id (16), expiry (u64, milliseconds) and a keyed hash of these, site and handle.
  std::string make(std::string_view site, std::string_view handle, WallTime now,
                   Random& random) const;
  /// Nothing for a text that was not made for this site and handle, or is too old.
  std::optional<Nonce> check(std::string_view text, std::string_view site, std::string_view handle,
                             WallTime now) const;

  /// The same parameters each time for a handle that nobody has, of the kind that clients make.
  PasswordKdf stand_in(std::string_view site, std::string_view handle) const;

 private:
  using Mac = std::array<std::uint8_t, 16>;
  Mac mac_of(std::string_view purpose, ByteView fixed, std::string_view site,
             std::string_view handle) const;

  Secret<struct ChallengeSecretTag> secret_;
};

}  // namespace cairn
