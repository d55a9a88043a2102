#include "crypto/token.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"
#include "crypto/keys.h"

namespace cairn {
namespace {

constexpr std::string_view kHeader = R"({"alg":"EdDSA","typ":"JWT"})";
constexpr std::uint64_t kTokenSubkey = 2;
constexpr std::string_view kNodeContext = "cairn-n1";
/// Clocks of nodes that share a key may differ by so much.
constexpr std::int64_t kSkew_s = 60;
constexpr std::size_t kSignatureText = 86;

SigningKey key_of(const NodeSecret& secret) {
  std::array<std::uint8_t, kSecretSize> seed{};
  kdf(secret.view(), kTokenSubkey, kNodeContext, seed);
  SigningKey key{SecretView(seed)};
  wipe(seed);
  return key;
}

void append_text(std::string& out, std::string_view name, std::string_view value) {
  out.append(out.empty() ? "{\"" : ",\"").append(name).append("\":\"").append(value);
  out.push_back('"');
}

void append_number(std::string& out, std::string_view name, std::int64_t value) {
  out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

std::string payload_of(const TokenClaims& claims) {
  std::string out;
  append_text(out, "iss", "cairn");
  append_text(out, "aud", claims.site);
  append_text(out, "sub", claims.handle);
  append_number(out, "iat", claims.issued_s);
  append_number(out, "exp", claims.expires_s);
  append_number(out, "auth_time", claims.authenticated_s);
  append_text(out, "act", name_of(claims.action));
  append_text(out, "login", to_base64url(claims.login.bytes));
  append_text(out, "key", to_base64url(claims.key.bytes));
  return out.append("}");
}

/// Reads a payload of payload_of(), member by member.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view text) : rest_(text) {}

  bool text(std::string_view name, std::string& out) {
    if (!skip(first_ ? "{\"" : ",\"") || !skip(name) || !skip("\":\"")) return false;
    first_ = false;
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos) return false;
    out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return out.find('\\') == std::string::npos;
  }
  bool number(std::string_view name, std::int64_t& out) {
    if (!skip(",\"") || !skip(name) || !skip("\":")) return false;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    if (error != std::errc{} || out < 0) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }
  bool key(std::string_view name, PublicKey& out) {
    std::string encoded;
    if (!text(name, encoded)) return false;
    const auto bytes = from_base64url(encoded);
    const auto read = bytes ? PublicKey::from_bytes(*bytes) : std::nullopt;
    if (read) out = *read;
    return read.has_value();
  }
  bool at_end() { return skip("}") && rest_.empty(); }

 private:
  bool skip(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  std::string_view rest_;
  bool first_ = true;
};

std::optional<TokenClaims> read_payload(std::string_view text) {
  TokenClaims out;
  std::string issuer;
  std::string action;
  PayloadReader reader(text);
  const bool whole = reader.text("iss", issuer) && issuer == "cairn" &&
                     reader.text("aud", out.site) && reader.text("sub", out.handle) &&
                     reader.number("iat", out.issued_s) && reader.number("exp", out.expires_s) &&
                     reader.number("auth_time", out.authenticated_s) &&
                     reader.text("act", action) && reader.key("login", out.login) &&
                     reader.key("key", out.key) && reader.at_end();
  const auto parsed = parse_login_action(action);
  if (!whole || !parsed || !is_handle(out.handle)) return std::nullopt;
  out.action = *parsed;
  return out;
}

}  // namespace

TokenKey::TokenKey(const NodeSecret& secret) : key_(key_of(secret)), public_(key_.public_key()) {}

std::string TokenKey::sign(const TokenClaims& claims) const {
  std::string out = to_base64url(as_bytes(kHeader));
  out.append(".").append(to_base64url(as_bytes(payload_of(claims))));
  const Signature signature = key_.sign(as_bytes(out));
  out.append(".").append(to_base64url(signature.bytes));
  return out;
}

std::optional<TokenClaims> TokenKey::verify(std::string_view token, std::string_view site,
                                            WallTime now) const {
  const std::string header = to_base64url(as_bytes(kHeader)) + ".";
  if (token.size() > kMaxTokenSize || !token.starts_with(header)) return std::nullopt;
  const std::size_t dot = token.rfind('.');
  if (dot < header.size() || token.size() - dot - 1 != kSignatureText) return std::nullopt;
  const auto raw = from_base64url(token.substr(dot + 1));
  const auto signature = raw ? Signature::from_bytes(*raw) : std::nullopt;
  if (!signature || !cairn::verify(public_, as_bytes(token.substr(0, dot)), *signature)) {
    return std::nullopt;
  }
  const auto payload = from_base64url(token.substr(header.size(), dot - header.size()));
  auto claims = payload ? read_payload(as_text(*payload)) : std::nullopt;
  const std::int64_t now_s = static_cast<std::int64_t>(now) / 1000;
  if (!claims || claims->site != site || now_s >= claims->expires_s ||
      claims->issued_s > now_s + kSkew_s) {
    return std::nullopt;
  }
  return claims;
}

}  // namespace cairn
