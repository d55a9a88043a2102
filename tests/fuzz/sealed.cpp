// Fuzz target: opening sealed blocks. What opens is what sealing makes: no block has a second form.
#include <algorithm>

#include "base/assert.h"
#include "crypto/seal.h"
#include "tests/fuzz/input.h"

namespace cairn::fuzz {
namespace {

const BlockKey& key() {
  static const BlockKey fixed = *BlockKey::from_bytes(Bytes(kSecretSize, 0x2a));
  return fixed;
}

SealSalt salt_of(ByteView sealed) {
  SealSalt salt{};
  std::copy_n(sealed.begin() + 4, salt.size(), salt.begin());
  return salt;
}

/// Opens; where it opens, sealing the plaintext again gives the same bytes.
bool opens(ByteView sealed) {
  const auto opened = open_block(key(), sealed);
  if (!opened) {
    CAIRN_ASSERT(opened.error().code == Errc::malformed && opened.error().detail.empty());
    return false;
  }
  const Padding padding = (sealed[3] & 1U) != 0 ? Padding::padme : Padding::none;
  const auto again = seal_block_with_salt(key(), opened.value(), padding, salt_of(sealed));
  CAIRN_ASSERT(
      std::equal(sealed.begin(), sealed.end(), again.value().begin(), again.value().end()));
  return true;
}

/// A block whose commitment and tag are right, around any header start and any text: reaches what
/// lies behind them.
Bytes forged(Input& input) {
  Bytes block;
  const ByteView start = input.bytes(28);
  block.assign(start.begin(), start.end());
  block.resize(28);
  const SealKey seal_key(key().view(), block);
  block.insert(block.end(), seal_key.commit().begin(), seal_key.commit().end());
  const Bytes header = block;
  Bytes text(input.rest().begin(), input.rest().end());
  text.resize(text.size() + kSealTagSize);
  seal_key.encrypt(header, text);
  block.insert(block.end(), text.begin(), text.end());
  return block;
}

/// Seals, opens, changes one byte, and is refused.
void seal_and_damage(Input& input) {
  const Padding padding = (input.byte() & 1U) != 0 ? Padding::padme : Padding::none;
  const std::uint64_t at = input.number();
  const std::uint8_t change = input.byte();
  Bytes sealed = seal_block_with_salt(key(), input.rest(), padding, SealSalt{}).value();
  CAIRN_ASSERT(opens(sealed));
  sealed[at % sealed.size()] ^= change;
  CAIRN_ASSERT(opens(sealed) == (change == 0));
}

}  // namespace
}  // namespace cairn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cairn::fuzz::Input input(data, size);
  switch (input.byte() % 3) {
    case 0: cairn::fuzz::opens(input.rest()); break;
    case 1: cairn::fuzz::opens(cairn::fuzz::forged(input)); break;
    default: cairn::fuzz::seal_and_damage(input);
  }
  return 0;
}
