#include "crypto/capability.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "crypto/crc32.h"

namespace cairn {
namespace {

constexpr std::string_view kWritePrefix = "cairn_w_";
constexpr std::string_view kReadPrefix = "cairn_r_";
constexpr std::string_view kVerifyPrefix = "cairn_v_";

constexpr std::size_t kChainAt = 1;
constexpr std::size_t kSecretAt = kChainAt + ChainId::kSize;
constexpr std::size_t kPlainSize = kSecretAt + kCrcSize;
constexpr std::size_t kSecretFormSize = kSecretAt + kSecretSize + kCrcSize;

/// Room for any form, zeroed when it goes.
struct WipedForm {
  std::array<std::uint8_t, kSecretFormSize> room{};
  WipedForm() = default;
  WipedForm(const WipedForm&) = delete;
  WipedForm& operator=(const WipedForm&) = delete;
  ~WipedForm() { wipe(room); }
};

std::string text_of(std::string_view prefix, const ChainId& chain, ByteView secret) {
  WipedForm form;
  form.room[0] = kSuite1;
  auto end = std::ranges::copy(chain.bytes, form.room.begin() + kChainAt).out;
  end = std::ranges::copy(secret, end).out;
  const auto filled = static_cast<std::size_t>(end - form.room.begin());
  std::ranges::copy(crc32_of(ByteView(form.room).first(filled)), end);
  const ByteView whole = ByteView(form.room).first(filled + kCrcSize);
  std::string text;
  text.reserve(prefix.size() + (whole.size() * 4 + 2) / 3);
  text.append(prefix);
  append_base64url(whole, text);
  return text;
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

  const std::string_view digits = text.substr(prefix.size());
  WipedForm form;
  const MutableByteView room =
      MutableByteView(form.room).first(base64url_size_bytes(digits.size()));
  if (!read_base64url(digits, room)) return std::nullopt;
  const ByteView whole(room);
  if (!form_is_right(whole, verifies ? kPlainSize : kSecretFormSize)) return std::nullopt;

  const ChainId chain = *ChainId::from_bytes(whole.subspan(kChainAt, ChainId::kSize));
  if (verifies) return VerifyCapability{chain};
  const SecretView secret = whole.subspan<kSecretAt, kSecretSize>();
  if (prefix == kWritePrefix) return WriteCapability{chain, WriteSecret(secret)};
  return ReadCapability{chain, ReadSecret(secret)};
}

}  // namespace cairn
