// Borrowed and owned byte sequences, and their text forms. No thread owns these; they are plain
// values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Borrows bytes that somebody else keeps alive.
using ByteView = std::span<const std::uint8_t>;
/// Borrows bytes that may be written.
using MutableByteView = std::span<std::uint8_t>;
/// Owns bytes.
using Bytes = std::vector<std::uint8_t>;

/// The characters of `text` as bytes; valid as long as `text` is.
inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The bytes as characters; valid as long as `bytes` is.
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hexadecimal, two digits a byte.
std::string to_hex(ByteView bytes);

/// Writes 2 * bytes.size() lower-case digits to `out`, which has room for them.
void write_hex(ByteView bytes, char* out);

/// Reads exactly 2 * out.size() lower-case digits. False (and `out` unspecified) for anything else.
[[nodiscard]] bool read_hex(std::string_view text, MutableByteView out);

/// Base64 with padding (RFC 4648 section 4).
std::string to_base64(ByteView bytes);

/// Base64url without padding (RFC 4648 section 5).
std::string to_base64url(ByteView bytes);

/// Appends to_base64url(bytes). Within the capacity of `out` no copy of anything is left behind.
void append_base64url(ByteView bytes, std::string& out);

/// The size of what `characters` of base64url without padding stand for.
constexpr std::size_t base64url_size_bytes(std::size_t characters) {
  return characters * 3 / 4;
}

/// Strict inverse of to_base64url into `out`, which has base64url_size_bytes(text.size()): no
/// padding, no other characters, no set trailing bits. False (and `out` unspecified) otherwise.
[[nodiscard]] bool read_base64url(std::string_view text, MutableByteView out);

/// read_base64url() into bytes of their own.
std::optional<Bytes> from_base64url(std::string_view text);

}  // namespace cairn
