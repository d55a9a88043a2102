// Tokens: what a site gives to whoever has logged in, JSON Web Tokens signed with Ed25519 (RFC
// 7519, RFC 8037). One algorithm, one header, one order of claims: whatever else is refused before
// anything is parsed. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "crypto/account_record.h"
#include "crypto/receipt.h"
#include "crypto/sign.h"

namespace cairn {

/// A token is good for so long, and may be exchanged for a fresh one until so long after the login.
inline constexpr std::chrono::minutes kTokenLife{15};
inline constexpr std::chrono::hours kSessionLife{24};
/// Longer ones are refused unread.
inline constexpr std::size_t kMaxTokenSize = 1024;

struct TokenClaims {
  std::string site;  ///< Whose account space it is for; no quotes, backslashes, control characters.
  std::string handle;
  PublicKey login;  ///< The account's: a token is of no use to another account of that handle.
  PublicKey key;    ///< What the login was signed with.
  LoginAction action = LoginAction::login;
  std::int64_t issued_s = 0;  ///< Seconds since 1970, as are the others.
  std::int64_t expires_s = 0;
  std::int64_t authenticated_s = 0;  ///< When the login was.

  friend bool operator==(const TokenClaims&, const TokenClaims&) = default;
};

class TokenKey {
 public:
  explicit TokenKey(const NodeSecret& secret);

  std::string sign(const TokenClaims& claims) const;

  /// The claims of a token of this key for `site` that is good at `now`. Nothing for everything
  /// else, without saying why.
  std::optional<TokenClaims> verify(std::string_view token, std::string_view site,
                                    WallTime now) const;

 private:
  SigningKey key_;
  PublicKey public_;
};

}  // namespace cairn
