#include "base/bytes.h"

#include <array>

namespace cairn {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Std =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> inverse(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  for (auto& entry : table) entry = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr auto kHexValues = inverse(kHexDigits);
constexpr auto kBase64UrlValues = inverse(kBase64Url);

void append_base64(ByteView bytes, std::string_view alphabet, std::string& out) {
  std::uint32_t window = 0;
  int bits = 0;
  for (const std::uint8_t byte : bytes) {
    window = (window << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out.push_back(alphabet[(window >> bits) & 63U]);
    }
  }
  if (bits > 0) out.push_back(alphabet[(window << (6 - bits)) & 63U]);
}

}  // namespace

void write_hex(ByteView bytes, char* out) {
  for (const std::uint8_t byte : bytes) {
    *out++ = kHexDigits[byte >> 4];
    *out++ = kHexDigits[byte & 15U];
  }
}

std::string to_hex(ByteView bytes) {
  std::string out(bytes.size() * 2, '\0');
  write_hex(bytes, out.data());
  return out;
}

bool read_hex(std::string_view text, MutableByteView out) {
  if (text.size() != out.size() * 2) return false;
  int bad = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = kHexValues[static_cast<unsigned char>(text[2 * i])];
    const int low = kHexValues[static_cast<unsigned char>(text[2 * i + 1])];
    bad |= high | low;
    out[i] = static_cast<std::uint8_t>((static_cast<unsigned>(high) << 4) |
                                       (static_cast<unsigned>(low) & 15U));
  }
  return bad >= 0;
}

std::string to_base64(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  append_base64(bytes, kBase64Std, out);
  while (out.size() % 4 != 0) out.push_back('=');
  return out;
}

std::string to_base64url(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  append_base64url(bytes, out);
  return out;
}

void append_base64url(ByteView bytes, std::string& out) {
  append_base64(bytes, kBase64Url, out);
}

bool read_base64url(std::string_view text, MutableByteView out) {
  if (text.size() % 4 == 1 || out.size() != base64url_size_bytes(text.size())) return false;
  std::uint32_t window = 0;
  int bits = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const int value = kBase64UrlValues[static_cast<unsigned char>(c)];
    if (value < 0) return false;
    window = (window << 6) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = static_cast<std::uint8_t>(window >> bits);
    }
  }
  return (window & ((1U << bits) - 1U)) == 0;
}

std::optional<Bytes> from_base64url(std::string_view text) {
  Bytes out(base64url_size_bytes(text.size()));
  if (!read_base64url(text, out)) return std::nullopt;
  return out;
}

}  // namespace cairn
