#include "crypto/capability.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/bytes.h"

namespace cairn {
namespace {

constexpr std::string_view kWritePrefix = "cairn_w_";
constexpr std::string_view kReadPrefix = "cairn_r_";
constexpr std::string_view kVerifyPrefix = "cairn_v_";

constexpr std::size_t kCrcSize = 4;
constexpr std::size_t kChainAt = 1;
constexpr std::size_t kSecretAt = kChainAt + ChainId::kSize;
constexpr std::size_t kPlainSize = kSecretAt + kCrcSize;
constexpr std::size_t kSecretFormSize = kSecretAt + kSecretSize + kCrcSize;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1U) != 0 ? (value >> 1) ^ 0xEDB88320U : value >> 1;
    }
    table[i] = value;
  }
  return table;
}

constexpr auto kCrcTable = make_crc_table();

std::array<std::uint8_t, kCrcSize> crc32_of(ByteView bytes) {
  std::uint32_t crc = ~0U;
  for (const std::uint8_t byte : bytes) crc = kCrcTable[(crc ^ byte) & 0xFFU] ^ (crc >> 8);
  crc = ~crc;
  std::array<std::uint8_t, kCrcSize> out{};
  for (std::size_t i = 0; i < kCrcSize; ++i) out[i] = static_cast<std::uint8_t>(crc >> (8 * i));
  return out;
}

/// Bytes that held a secret, zeroed when they go.
struct WipedBytes {
  Bytes bytes;
  explicit WipedBytes(Bytes taken) : bytes(std::move(taken)) {}
  WipedBytes(const WipedBytes&) = delete;
  WipedBytes& operator=(const WipedBytes&) = delete;
  ~WipedBytes() { wipe(bytes); }
};

std::string text_of(std::string_view prefix, const ChainId& chain, ByteView secret) {
  Bytes form;
  form.reserve(kSecretFormSize);  // never moves, so one wipe finds every copy
  form.push_back(kSuite1);
  form.insert(form.end(), chain.bytes.begin(), chain.bytes.end());
  form.insert(form.end(), secret.begin(), secret.end());
  const auto crc = crc32_of(form);
  form.insert(form.end(), crc.begin(), crc.end());
  const WipedBytes wiped(std::move(form));
  return std::string(prefix) + to_base64url(wiped.bytes);
}

/// Whether suite, size and checksum are right.
bool form_is_right(ByteView form, std::size_t size) {
  if (form.size() != size || form[0] != kSuite1) return false;
  const auto crc = crc32_of(form.first(size - kCrcSize));
  return std::equal(crc.begin(), crc.end(), form.last(kCrcSize).begin());
}

}  // namespace

std::string capability_text(const Capability& capability) {
  if (const auto* write = std::get_if<WriteCapability>(&capability)) {
    return text_of(kWritePrefix, write->chain, write->secret.view());
  }
  if (const auto* read = std::get_if<ReadCapability>(&capability)) {
    return text_of(kReadPrefix, read->chain, read->secret.view());
  }
  return text_of(kVerifyPrefix, std::get<VerifyCapability>(capability).chain, {});
}

std::optional<Capability> parse_capability(std::string_view text) {
  // Nothing longer than the longest form is decoded.
  if (text.size() > kWritePrefix.size() + (kSecretFormSize * 4 + 2) / 3) return std::nullopt;
  const std::string_view prefix = text.substr(0, kWritePrefix.size());
  const bool verifies = prefix == kVerifyPrefix;
  if (!verifies && prefix != kWritePrefix && prefix != kReadPrefix) return std::nullopt;

  auto decoded = from_base64url(text.substr(prefix.size()));
  if (!decoded) return std::nullopt;
  const WipedBytes form(std::move(*decoded));
  if (!form_is_right(form.bytes, verifies ? kPlainSize : kSecretFormSize)) return std::nullopt;

  const ByteView whole(form.bytes);
  const ChainId chain = *ChainId::from_bytes(whole.subspan(kChainAt, ChainId::kSize));
  if (verifies) return VerifyCapability{chain};
  const SecretView secret = whole.subspan<kSecretAt, kSecretSize>();
  if (prefix == kWritePrefix) return WriteCapability{chain, WriteSecret(secret)};
  return ReadCapability{chain, ReadSecret(secret)};
}

}  // namespace cairn
