// receipts.json: what a node signs when it has taken links, and what it has not signed.
#include "base/little_endian.h"
#include "crypto/receipt.h"
#include "json_text.h"

namespace cairn::vectors {
namespace {

Receipt receipt_of(const std::string& label, std::uint64_t seq, std::uint32_t epoch,
                   std::int64_t time) {
  Receipt out;
  out.chain = *ChainId::from_bytes(bytes_from("chain of " + label, ChainId::kSize));
  out.seq = seq;
  out.link = *LinkId::from_bytes(bytes_from("link of " + label, LinkId::kSize));
  out.epoch = epoch;
  out.time = WallTime{time};
  return out;
}

JsonCase as_case(std::string_view name, const PublicKey& node, const Receipt& receipt,
                 ByteView signature) {
  JsonCase out;
  out.text("name", name)
      .hex("node", node.bytes)
      .hex("chain", receipt.chain.view())
      .text("seq", std::to_string(receipt.seq))
      .hex("link", receipt.link.view())
      .number("epoch", receipt.epoch)
      .text("time", std::to_string(static_cast<std::int64_t>(receipt.time)))
      .hex("signature", signature);
  return out;
}

}  // namespace

std::string receipt_vectors() {
  const auto secret = *NodeSecret::from_bytes(bytes_from("node secret", kSecretSize));
  const ReceiptKey key(secret);
  const auto& node = key.public_key();
  const ReceiptKey other(*NodeSecret::from_bytes(bytes_from("another node", kSecretSize)));
  const Receipt first = receipt_of("the first link", 1, 0, 1'764'000'000'000);
  const Receipt late = receipt_of("a late link", 9'007'199'254'740'991, 4'294'967'295, 0);

  JsonFile file(
      "Receipts of a node whose secret K is node_secret: its key, what it signed, and the "
      "signature. "
      "refused: the signature does not cover what is said.");
  std::vector<JsonCase> keys(1);
  keys[0].hex("node_secret", bytes_from("node secret", kSecretSize)).hex("node", node.bytes);
  file.section("keys", keys);
  file.section("receipts",
               {as_case("the first link of a chain", node, first, key.sign(first).bytes),
                as_case("largest numbers", node, late, key.sign(late).bytes)});

  std::vector<JsonCase> refused;
  const auto changed = [&](std::string_view name, const auto& change) {
    Receipt said = first;
    change(said);
    refused.push_back(as_case(name, node, said, key.sign(first).bytes));
  };
  changed("another chain", [](Receipt& r) { r.chain.bytes[0] ^= 1U; });
  changed("another seq", [](Receipt& r) { ++r.seq; });
  changed("another link", [](Receipt& r) { r.link.bytes[31] ^= 1U; });
  changed("another epoch", [](Receipt& r) { ++r.epoch; });
  changed("another time", [](Receipt& r) { r.time = WallTime{1'764'000'000'001}; });
  refused.push_back(as_case("another node's", node, first, other.sign(first).bytes));
  auto flipped = key.sign(first);
  flipped.bytes[63] ^= 1U;
  refused.push_back(as_case("a flipped bit", node, first, flipped.bytes));
  file.section("refused", refused);
  return file.finish();
}

}  // namespace cairn::vectors
