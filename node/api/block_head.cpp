#include "node/api/block_head.h"

#include <cstdint>
#include <cstring>

namespace cairn::api {
namespace {

constexpr std::size_t kHexSize = BlockId::kTextSize;
constexpr std::size_t kBase64Size = 44;

// The id's two spellings are blanks here and are written over the copy. Everything before the
// source is equal, so the places are the same in each.
#define CAIRN_BLOCK_HEAD(source)                                                   \
  "Content-Type: application/octet-stream\r\n"                                     \
  "ETag: \"                                                                \"\r\n" \
  "Cache-Control: public, max-age=31536000, immutable\r\n"                         \
  "Accept-Ranges: bytes\r\n"                                                       \
  "Repr-Digest: sha-256=:                                            :\r\n"        \
  "X-Content-Type-Options: nosniff\r\n"                                            \
  "Cairn-Source: " source "\r\n"

constexpr std::string_view kMemory = CAIRN_BLOCK_HEAD("memory");
constexpr std::string_view kDisk = CAIRN_BLOCK_HEAD("disk");
constexpr std::string_view kStorage = CAIRN_BLOCK_HEAD("storage");
constexpr std::string_view kPeer = CAIRN_BLOCK_HEAD("peer");
#undef CAIRN_BLOCK_HEAD

constexpr std::string_view kTagMark = "ETag: \"";
constexpr std::string_view kDigestMark = "sha-256=:";
constexpr std::size_t kHexAt = kMemory.find(kTagMark) + kTagMark.size();
constexpr std::size_t kBase64At = kMemory.find(kDigestMark) + kDigestMark.size();
static_assert(kMemory[kHexAt + kHexSize] == '"' && kMemory[kBase64At + kBase64Size] == ':');

constexpr std::string_view template_of(Source source) {
  switch (source) {
    case Source::memory: return kMemory;
    case Source::disk: return kDisk;
    case Source::storage: return kStorage;
    case Source::peer: return kPeer;
  }
  return kStorage;
}

/// Two hexadecimal digits for each byte.
constexpr auto kHexPairs = [] {
  std::array<char, 512> pairs{};
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t byte = 0; byte < 256; ++byte) {
    pairs[byte * 2] = digits[byte >> 4];
    pairs[byte * 2 + 1] = digits[byte & 15];
  }
  return pairs;
}();

void put_hex(const BlockId& id, char* out) {
  for (const std::uint8_t byte : id.bytes) {
    std::memcpy(out, &kHexPairs[std::size_t{byte} * 2], 2);
    out += 2;
  }
}

/// Base64 with padding (RFC 4648 section 4) of the 32 bytes: 44 characters.
void put_base64(const BlockId& id, char* out) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::uint8_t* in = id.bytes.data();
  for (int group = 0; group < 10; ++group, in += 3, out += 4) {
    const std::uint32_t bits = (std::uint32_t{in[0]} << 16) | (std::uint32_t{in[1]} << 8) | in[2];
    out[0] = alphabet[bits >> 18];
    out[1] = alphabet[(bits >> 12) & 63U];
    out[2] = alphabet[(bits >> 6) & 63U];
    out[3] = alphabet[bits & 63U];
  }
  const std::uint32_t last = (std::uint32_t{in[0]} << 10) | (std::uint32_t{in[1]} << 2);
  out[0] = alphabet[last >> 12];
  out[1] = alphabet[(last >> 6) & 63U];
  out[2] = alphabet[last & 63U];
  out[3] = '=';
}

}  // namespace

BlockTagText::BlockTagText(const BlockId& id) {
  text_.front() = '"';
  put_hex(id, text_.data() + 1);
  text_.back() = '"';
}

void render_block_head(const BlockId& id, Source source, http::FieldList& fields) {
  const std::string_view form = template_of(source);
  char* out = fields.extend(form.size());
  std::memcpy(out, form.data(), form.size());
  put_hex(id, out + kHexAt);
  put_base64(id, out + kBase64At);
}

}  // namespace cairn::api
