// The body of a login. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/account_record.h"
#include "crypto/sign.h"

namespace cairn::api {

inline constexpr std::size_t kMaxLoginBytes = 2048;

struct LoginRequest {
  std::string nonce;
  PublicKey key;
  Signature signature;
  LoginAction action = LoginAction::login;
};

/// {"nonce","key","signature","action"}, all texts, each once. malformed for everything else.
Result<LoginRequest> parse_login_request(std::string_view json);

}  // namespace cairn::api
