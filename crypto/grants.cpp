#include "crypto/grants.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/assert.h"
#include "crypto/seal.h"
#include "crypto/sodium_ready.h"

namespace cairn {
namespace {

constexpr std::string_view kMagic = "cairn-grants-1";
constexpr std::size_t kKeySize = crypto_scalarmult_BYTES;
constexpr std::size_t kBoxSize = kKeySize + kSealOverhead + kSecretSize;
static_assert(kBoxSize == 140);

/// The key of the sealed block in a box; nothing for a sender's key of small order.
std::optional<BlockKey> key_between(const BoxSeed& own, ByteView sender) {
  std::array<std::uint8_t, crypto_scalarmult_BYTES> shared{};
  if (crypto_scalarmult(shared.data(), own.view().data(), sender.data()) != 0) return std::nullopt;
  const auto receiver = box_key_of(own);
  Bytes names(sender.begin(), sender.end());
  names.insert(names.end(), receiver.begin(), receiver.end());
  std::array<std::uint8_t, kSecretSize> key{};
  CAIRN_ASSERT(crypto_generichash(key.data(), key.size(), names.data(), names.size(), shared.data(),
                                  shared.size()) == 0);
  const BlockKey out(key);
  wipe(shared);
  wipe(key);
  return out;
}

}  // namespace

bool is_grants(ByteView payload) {
  return as_text(payload).starts_with(kMagic);
}

std::vector<ReadSecret> open_grants(ByteView payload, const BoxSeed& seed) {
  std::vector<ReadSecret> out;
  if (!is_grants(payload)) return out;
  sodium_ready();
  payload = payload.subspan(kMagic.size());
  for (; payload.size() >= kBoxSize; payload = payload.subspan(kBoxSize)) {
    const auto key = key_between(seed, payload.first(kKeySize));
    if (!key) continue;
    auto opened = open_block(*key, payload.subspan(kKeySize, kBoxSize - kKeySize));
    if (!opened) continue;
    if (const auto secret = ReadSecret::from_bytes(opened.value())) out.push_back(*secret);
    wipe(opened.value());
  }
  return out;
}

}  // namespace cairn
