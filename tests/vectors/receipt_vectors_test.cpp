// Reads receipts.json back with the product's own code.
#include <gtest/gtest.h>

#include "crypto/receipt.h"
#include "tests/vectors/vector_file.h"

namespace cairn {
namespace {

class ReceiptVectors : public VectorFile {
 protected:
  ReceiptVectors() : VectorFile(CAIRN_VECTORS_DIR "/receipts.json") {}

  static bool passes(const boost::json::value& one) {
    Receipt receipt;
    receipt.chain = *ChainId::from_bytes(hex(one, "chain"));
    receipt.seq = std::stoull(text(one, "seq"));
    receipt.link = *LinkId::from_bytes(hex(one, "link"));
    receipt.epoch = one.at("epoch").to_number<std::uint32_t>();
    receipt.time = WallTime{std::stoll(text(one, "time"))};
    return verify(*PublicKey::from_bytes(hex(one, "node")), receipt,
                  *Signature::from_bytes(hex(one, "signature")));
  }
};

TEST_F(ReceiptVectors, KeyFollowsFromTheSecret) {
  for (const auto& one : cases("keys")) {
    const ReceiptKey key(*NodeSecret::from_bytes(hex(one, "node_secret")));
    EXPECT_EQ(to_hex(key.public_key().bytes), text(one, "node"));
  }
}

TEST_F(ReceiptVectors, SignaturesCoverWhatIsSaidAndNothingElse) {
  for (const auto& one : cases("receipts")) EXPECT_TRUE(passes(one)) << text(one, "name");
  for (const auto& one : cases("refused")) EXPECT_FALSE(passes(one)) << text(one, "name");
}

}  // namespace
}  // namespace cairn
