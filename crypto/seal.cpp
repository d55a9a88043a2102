#include "crypto/seal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

namespace cairn {
namespace {

constexpr std::array<std::uint8_t, 2> kMagic{'B', '1'};
constexpr std::size_t kSuiteAt = 2;
constexpr std::size_t kFlagsAt = 3;
constexpr std::size_t kSaltAt = 4;
constexpr std::size_t kCommitAt = kSaltAt + kSealSaltSize;
static_assert(kCommitAt + kSealCommitSize == kSealedHeaderSize);

constexpr std::uint8_t kPaddedFlag = 1;
constexpr std::uint8_t kPadMark = 0x80;

std::size_t text_size(std::size_t plaintext_bytes, Padding padding) {
  return padding == Padding::padme ? padme_size(plaintext_bytes + 1) : plaintext_bytes;
}

bool header_is_known(ByteView sealed) {
  return std::equal(kMagic.begin(), kMagic.end(), sealed.begin()) && sealed[kSuiteAt] == kSuite1 &&
         (sealed[kFlagsAt] & ~kPaddedFlag) == 0;
}

/// Size of the plaintext in `text`; nothing unless it is padded exactly as seal_block pads. The
/// text is authentic here, so the time that this takes tells nothing to a forger.
std::optional<std::size_t> unpadded_size(ByteView text) {
  const auto mark = std::find_if(text.rbegin(), text.rend(), [](auto byte) { return byte != 0; });
  if (mark == text.rend() || *mark != kPadMark) return std::nullopt;
  const auto size = static_cast<std::size_t>(text.rend() - mark) - 1;
  if (text_size(size, Padding::padme) != text.size()) return std::nullopt;
  return size;
}

}  // namespace

std::size_t padme_size(std::size_t size_bytes) {
  if (size_bytes < 2) return size_bytes;
  const auto exponent = static_cast<unsigned>(std::bit_width(size_bytes)) - 1;
  const auto kept_bits = static_cast<unsigned>(std::bit_width(exponent));
  const std::size_t mask = (std::size_t{1} << (exponent - kept_bits)) - 1;
  return (size_bytes + mask) & ~mask;
}

std::size_t sealed_size(std::size_t plaintext_bytes, Padding padding) {
  return kSealOverhead + text_size(plaintext_bytes, padding);
}

Result<Bytes> seal_block(const BlockKey& key, ByteView plaintext, Padding padding, Random& random) {
  return seal_block_with_salt(key, plaintext, padding, random_salt(random));
}

Result<Bytes> seal_block_with_salt(const BlockKey& key, ByteView plaintext, Padding padding,
                                   const SealSalt& salt) {
  if (plaintext.size() > kMaxBlockBytes ||
      sealed_size(plaintext.size(), padding) > kMaxBlockBytes) {
    return fail(Errc::malformed, "too large for a block");
  }
  Bytes sealed(sealed_size(plaintext.size(), padding), 0);
  const MutableByteView whole(sealed);
  std::copy(kMagic.begin(), kMagic.end(), sealed.begin());
  sealed[kSuiteAt] = kSuite1;
  sealed[kFlagsAt] = padding == Padding::padme ? kPaddedFlag : 0;
  std::copy(salt.begin(), salt.end(), whole.subspan(kSaltAt).begin());

  const SealKey seal_key(key.view(), whole.first(kCommitAt));
  std::copy(seal_key.commit().begin(), seal_key.commit().end(), whole.subspan(kCommitAt).begin());

  const MutableByteView text = whole.subspan(kSealedHeaderSize);
  std::copy(plaintext.begin(), plaintext.end(), text.begin());
  if (padding == Padding::padme) text[plaintext.size()] = kPadMark;
  seal_key.encrypt(whole.first(kSealedHeaderSize), text);
  return sealed;
}

Result<Bytes> open_block(const BlockKey& key, ByteView sealed) {
  if (sealed.size() < kSealOverhead || sealed.size() > kMaxBlockBytes || !header_is_known(sealed)) {
    return fail(Errc::malformed);
  }
  const SealKey seal_key(key.view(), sealed.first(kCommitAt));
  if (!seal_key.commits_to(sealed.subspan(kCommitAt, kSealCommitSize))) {
    return fail(Errc::malformed);
  }
  Bytes text(sealed.size() - kSealOverhead);
  if (!seal_key.decrypt(sealed.first(kSealedHeaderSize), sealed.subspan(kSealedHeaderSize), text)) {
    return fail(Errc::malformed);
  }
  if ((sealed[kFlagsAt] & kPaddedFlag) != 0) {
    const auto size = unpadded_size(text);
    if (!size) return fail(Errc::malformed);
    text.resize(*size);
  }
  return text;
}

}  // namespace cairn
