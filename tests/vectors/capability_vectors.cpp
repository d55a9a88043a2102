// capability.json: capability strings and strings that are none.
#include <zlib.h>

#include <algorithm>

#include "crypto/capability.h"
#include "json_text.h"

namespace cairn::vectors {
namespace {

constexpr std::size_t kPrefixSize = 8;

ChainId chain_from(std::string_view label) {
  return *ChainId::from_bytes(bytes_from(label, ChainId::kSize));
}

std::vector<JsonCase> readable() {
  std::vector<JsonCase> cases;
  for (const std::string_view label : {"one", "two", "three"}) {
    const ChainId chain = chain_from(label);
    const Bytes secret = bytes_from(std::string(label) + " secret", kSecretSize);
    const auto add = [&](std::string_view kind, const Capability& capability, bool with_secret) {
      JsonCase one;
      one.text("kind", kind).hex("chain", chain.view());
      if (with_secret) one.hex("secret", secret);
      cases.push_back(one.text("text", capability_text(capability)));
    };
    add("write", WriteCapability{chain, *WriteSecret::from_bytes(secret)}, true);
    add("read", ReadCapability{chain, *ReadSecret::from_bytes(secret)}, true);
    add("verify", VerifyCapability{chain}, false);
  }
  return cases;
}

/// The base64url part decoded, changed, and encoded again.
template <class Change>
std::string changed(const std::string& text, Change change) {
  Bytes form = *from_base64url(std::string_view(text).substr(kPrefixSize));
  change(form);
  return text.substr(0, kPrefixSize) + to_base64url(form);
}

/// zlib's own CRC-32 over all but the last four bytes, put there.
void put_checksum(Bytes& form) {
  const std::size_t covered = form.size() - 4;
  auto crc = static_cast<std::uint32_t>(crc32(0, form.data(), static_cast<uInt>(covered)));
  for (std::size_t i = 0; i < 4; ++i, crc >>= 8) {
    form[covered + i] = static_cast<std::uint8_t>(crc);
  }
}

std::vector<JsonCase> refused() {
  const ChainId chain = chain_from("one");
  const Bytes secret = bytes_from("one secret", kSecretSize);
  const std::string write =
      capability_text(WriteCapability{chain, *WriteSecret::from_bytes(secret)});
  const std::string verify = capability_text(VerifyCapability{chain});
  std::vector<JsonCase> cases;
  const auto add = [&cases](std::string_view name, std::string_view text) {
    cases.push_back(JsonCase().text("name", name).text("text", text));
  };
  add("empty", "");
  add("prefix only", "cairn_w_");
  add("unknown kind", "cairn_x_" + write.substr(kPrefixSize));
  add("upper case prefix", "CAIRN_W_" + write.substr(kPrefixSize));
  add("no prefix", write.substr(kPrefixSize));
  add("write form under verify prefix", "cairn_v_" + write.substr(kPrefixSize));
  add("verify form under read prefix", "cairn_r_" + verify.substr(kPrefixSize));
  add("padded", write + "=");
  add("padded to four", verify + "==");
  add("trailing space", write + " ");
  add("space in front", " " + write);
  add("plus of plain base64", write.substr(0, 20) + "+" + write.substr(21));
  add("slash of plain base64", write.substr(0, 20) + "/" + write.substr(21));
  add("trailing bits set", verify.substr(0, verify.size() - 1) +
                               (verify.back() == 'A' ? 'B' : static_cast<char>(verify.back() + 1)));
  add("one character short", write.substr(0, write.size() - 1));
  add("one character more", write + "A");
  add("one byte less", changed(write, [](Bytes& form) { form.pop_back(); }));
  add("one byte more", changed(write, [](Bytes& form) { form.push_back(0); }));
  for (const std::uint8_t suite : {0, 2, 255}) {
    add("suite " + std::to_string(suite) + ", checksum right", changed(write, [suite](Bytes& form) {
          form[0] = suite;
          put_checksum(form);
        }));
  }
  for (const std::size_t at : {1U, 32U, 33U, 64U, 65U, 68U}) {
    add("bit flipped in byte " + std::to_string(at),
        changed(write, [at](Bytes& form) { form[at] ^= 0x10U; }));
  }
  add("checksum zero",
      changed(write, [](Bytes& form) { std::fill(form.end() - 4, form.end(), std::uint8_t{0}); }));
  add("checksum big-endian",
      changed(write, [](Bytes& form) { std::reverse(form.end() - 4, form.end()); }));
  return cases;
}

}  // namespace

std::string capability_vectors() {
  JsonFile file(
      "Capability strings: prefix and base64url(suite 1 | chain | secret, not for verify | CRC-32 "
      "of "
      "these bytes as u32 LE), no padding. reads: what a string means. refused: strings that mean "
      "nothing.");
  file.section("reads", readable());
  file.section("refused", refused());
  return file.finish();
}

}  // namespace cairn::vectors
