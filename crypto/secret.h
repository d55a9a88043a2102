// Secrets of 32 bytes as distinct types that leave nothing behind in memory. Plain values, no
// thread owns them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/random.h"

namespace cairn {

/// Overwrites with zeros in a way that no optimiser leaves out.
void wipe(MutableByteView bytes);

/// Compares in a time that depends on the sizes only.
bool equal_in_constant_time(ByteView left, ByteView right);

inline constexpr std::size_t kSecretSize = 32;
using SecretView = std::span<const std::uint8_t, kSecretSize>;

/// One kind of secret; `Tag` keeps the kinds apart. Wiped at destruction, copies too. Never logged:
/// there is no text form but a capability string.
template <class Tag>
class Secret {
 public:
  static constexpr std::size_t kSize = kSecretSize;

  explicit Secret(SecretView bytes) { std::copy(bytes.begin(), bytes.end(), bytes_.begin()); }
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { wipe(bytes_); }

  static Secret random(Random& random) {
    Secret fresh;
    random.fill(fresh.bytes_);
    return fresh;
  }
  /// Nothing for another size than 32.
  static std::optional<Secret> from_bytes(ByteView bytes) {
    if (bytes.size() != kSize) return std::nullopt;
    return Secret(bytes.first<kSize>());
  }

  /// Valid as long as the secret is.
  SecretView view() const { return bytes_; }

  friend bool operator==(const Secret& left, const Secret& right) {
    return equal_in_constant_time(left.bytes_, right.bytes_);
  }

 private:
  Secret() = default;

  std::array<std::uint8_t, kSize> bytes_{};
};

}  // namespace cairn
