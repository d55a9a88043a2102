// Receipts: what a node says and signs when it has taken links (docs/formats.md, "Receipts"). A
// node that denied it later would be contradicted by its own signature. Any thread.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/ids.h"
#include "crypto/secret.h"
#include "crypto/sign.h"

namespace cairn {

/// K, which a node keeps to itself for its life; its keys are derived from it.
using NodeSecret = Secret<struct NodeSecretTag>;

/// The last of the links that were sent: it is in the chain, durably, as are those before it.
struct Receipt {
  ChainId chain;
  std::uint64_t seq = 0;
  LinkId link;
  std::uint32_t epoch = 0;
  WallTime time{};
};

class ReceiptKey {
 public:
  explicit ReceiptKey(const NodeSecret& secret);

  const PublicKey& public_key() const { return public_; }
  Signature sign(const Receipt& receipt) const;

 private:
  SigningKey key_;
  PublicKey public_;
};

/// Whether the node whose key this is signed that receipt.
[[nodiscard]] bool verify(const PublicKey& node, const Receipt& receipt,
                          const Signature& signature);

}  // namespace cairn
