#include "crypto/receipt.h"

#include <array>
#include <string_view>

#include "base/bytes.h"
#include "base/little_endian.h"
#include "crypto/keys.h"

namespace cairn {
namespace {

constexpr std::string_view kSignedPrefix = "cairn-receipt-1";
constexpr std::uint64_t kReceiptSubkey = 1;
constexpr std::string_view kNodeContext = "cairn-n1";

SigningKey key_of(const NodeSecret& secret) {
  std::array<std::uint8_t, kSecretSize> seed{};
  kdf(secret.view(), kReceiptSubkey, kNodeContext, seed);
  SigningKey key{SecretView(seed)};
  wipe(seed);
  return key;
}

Bytes message_of(const Receipt& receipt) {
  Bytes out;
  const auto append = [&out](ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); };
  append(as_bytes(kSignedPrefix));
  append(receipt.chain.view());
  append_le(receipt.seq, out);
  append(receipt.link.view());
  append_le(receipt.epoch, out);
  append_le(static_cast<std::uint64_t>(receipt.time), out);
  return out;
}

}  // namespace

ReceiptKey::ReceiptKey(const NodeSecret& secret)
    : key_(key_of(secret)), public_(key_.public_key()) {}

Signature ReceiptKey::sign(const Receipt& receipt) const {
  return key_.sign(message_of(receipt));
}

bool verify(const PublicKey& node, const Receipt& receipt, const Signature& signature) {
  return verify(node, message_of(receipt), signature);
}

}  // namespace cairn
