// ids.json: names of blocks in both spellings, spellings that are none, and where ids belong.
#include <array>
#include <cstdio>

#include "base/block_id_text.h"
#include "crypto/hash.h"
#include "json_text.h"

namespace cairn::vectors {
namespace {

std::vector<JsonCase> named_blocks() {
  std::vector<JsonCase> cases;
  for (const std::size_t size : {0U, 1U, 3U, 55U, 56U, 63U, 64U, 65U, 119U, 120U, 1000U}) {
    const Bytes bytes = bytes_from("block", size);
    const BlockId id = block_id_of(bytes);
    cases.push_back(
        JsonCase().hex("bytes", bytes).text("hex", id.text()).text("cid", cid_text(id)));
  }
  return cases;
}

std::string with(std::string text, std::size_t at, char c) {
  text.at(at) = c;
  return text;
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::vector<JsonCase> refused_texts() {
  const BlockId id = block_id_of(as_bytes("abc"));
  const std::string hex = id.text();
  const std::string cid = cid_text(id);
  std::vector<JsonCase> cases;
  const auto add = [&cases](std::string_view name, std::string_view text) {
    cases.push_back(JsonCase().text("name", name).text("text", text));
  };
  add("empty", "");
  add("hex, 63 digits", hex.substr(1));
  add("hex, 65 digits", hex + "0");
  add("hex, upper case", upper(hex));
  add("hex, not a digit", with(hex, 5, 'g'));
  add("hex, prefix 0x", "0x" + hex.substr(2));
  add("hex, space in front", " " + hex.substr(1));
  add("cid, upper case (multibase B)", upper(cid));
  add("cid, 58 characters", cid.substr(0, 58));
  add("cid, 60 characters", cid + "a");
  add("cid, padded", cid + "======");
  add("cid, no multibase prefix", cid.substr(1));
  add("cid, multibase base16", with(cid, 0, 'f'));
  add("cid, digit 1", with(cid, 20, '1'));
  add("cid, digit 8", with(cid, 20, '8'));
  // The last character carries three bits of the digest and two that must be zero.
  add("cid, first trailing bit set", with(cid, 58, static_cast<char>(cid[58] + 1)));
  add("cid, second trailing bit set", with(cid, 58, static_cast<char>(cid[58] + 2)));
  add("cid, codec dag-pb (bafybei)", "bafybei" + cid.substr(7));
  add("cid, codec dag-cbor (bafyrei)", "bafyrei" + cid.substr(7));
  add("cid, hash sha2-512 (bafkrgq)", "bafkrgq" + cid.substr(7));
  add("cid, hash sha3-256 (bafkrmi)", "bafkrmi" + cid.substr(7));
  add("cid, version 0", "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG");
  return cases;
}

std::string hex_u64(std::uint64_t value) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
  return text.data();
}

std::vector<JsonCase> numbers() {
  std::vector<JsonCase> cases;
  for (const std::uint64_t seed : {0ULL, 1ULL, 0x0123456789abcdefULL, ~0ULL}) {
    for (const std::string_view label : {"first", "second", "third"}) {
      const BlockId id = block_id_of(as_bytes(label));
      cases.push_back(JsonCase()
                          .text("id", id.text())
                          .text("placement_seed", hex_u64(seed))
                          .text("number", hex_u64(static_cast<std::uint64_t>(number_of(id, seed))))
                          .number("slot", static_cast<std::size_t>(slot_of(id, seed))));
    }
  }
  return cases;
}

}  // namespace

std::string id_vectors() {
  JsonFile file(
      "Block ids. blocks: bytes with both spellings of their id. refused: texts that name no "
      "block. "
      "numbers: XXH3-64 of the 32 bytes of an id under a seed (both as u64 in hexadecimal), and "
      "the "
      "slot, number mod 5040.");
  file.section("blocks", named_blocks());
  file.section("refused", refused_texts());
  file.section("numbers", numbers());
  return file.finish();
}

}  // namespace cairn::vectors
