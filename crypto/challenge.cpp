#include "crypto/challenge.h"

#include <sodium.h>

#include <algorithm>

#include "base/little_endian.h"
#include "crypto/keys.h"

namespace cairn {
namespace {

constexpr std::uint64_t kChallengeSubkey = 3;
constexpr std::string_view kNodeContext = "cairn-n1";
constexpr std::size_t kFixedSize = 16 + 8;
constexpr std::size_t kNonceSize = kFixedSize + 16;
/// What the SDK makes slots with unless told otherwise.
constexpr std::uint32_t kUsualMemoryKib = 65'536;
constexpr std::uint32_t kUsualPasses = 3;

Secret<struct ChallengeSecretTag> derive(const NodeSecret& secret) {
  std::array<std::uint8_t, kSecretSize> out{};
  kdf(secret.view(), kChallengeSubkey, kNodeContext, out);
  Secret<struct ChallengeSecretTag> derived{SecretView(out)};
  wipe(out);
  return derived;
}

}  // namespace

ChallengeKey::ChallengeKey(const NodeSecret& secret) : secret_(derive(secret)) {}

ChallengeKey::Mac ChallengeKey::mac_of(std::string_view purpose, ByteView fixed,
                                       std::string_view site, std::string_view handle) const {
  Bytes message;
  const auto append = [&message](ByteView part) {
    append_le(static_cast<std::uint32_t>(part.size()), message);
    message.insert(message.end(), part.begin(), part.end());
  };
  append(as_bytes(purpose));
  append(fixed);
  append(as_bytes(site));
  append(as_bytes(handle));
  Mac out{};
  crypto_generichash(out.data(), out.size(), message.data(), message.size(), secret_.view().data(),
                     secret_.view().size());
  return out;
}

std::string ChallengeKey::make(std::string_view site, std::string_view handle, WallTime now,
                               Random& random) const {
  Bytes raw(16);
  random.fill(raw);
  const auto life = std::chrono::milliseconds(kNonceLife).count();
  append_le(static_cast<std::uint64_t>(static_cast<std::int64_t>(now) + life), raw);
  const Mac mac = mac_of("nonce", raw, site, handle);
  raw.insert(raw.end(), mac.begin(), mac.end());
  return to_base64url(raw);
}

std::optional<ChallengeKey::Nonce> ChallengeKey::check(std::string_view text, std::string_view site,
                                                       std::string_view handle,
                                                       WallTime now) const {
  std::array<std::uint8_t, kNonceSize> raw{};
  if (base64url_size_bytes(text.size()) != kNonceSize || !read_base64url(text, raw)) {
    return std::nullopt;
  }
  const ByteView fixed = ByteView(raw).first(kFixedSize);
  const Mac mac = mac_of("nonce", fixed, site, handle);
  if (!equal_in_constant_time(mac, ByteView(raw).subspan(kFixedSize))) return std::nullopt;
  Nonce out;
  std::copy_n(raw.begin(), out.id.size(), out.id.begin());
  out.expires = WallTime{static_cast<std::int64_t>(load_le<std::uint64_t>(raw.data() + 16))};
  if (now >= out.expires) return std::nullopt;
  return out;
}

PasswordKdf ChallengeKey::stand_in(std::string_view site, std::string_view handle) const {
  PasswordKdf out;
  out.memory_kib = kUsualMemoryKib;
  out.passes = kUsualPasses;
  out.salt = mac_of("salt", {}, site, handle);
  return out;
}

}  // namespace cairn
