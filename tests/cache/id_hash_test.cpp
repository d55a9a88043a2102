#include "cache/id_hash.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/cache/support.h"

namespace cairn {
namespace {

TEST(IdHash, SameKeysAgreeAndOtherKeysDoNot) {
  SeededRandom one(1), same(1), other(2);
  const IdHash first(one), second(same), third(other);
  const BlockId id = cheap_id(42);
  EXPECT_EQ(first(id), second(id));
  EXPECT_NE(first(id), third(id));
}

TEST(IdHash, EveryByteOfTheIdMatters) {
  SeededRandom random(1);
  const IdHash hash(random);
  std::set<std::uint64_t> seen{hash(BlockId{})};
  for (std::size_t i = 0; i < BlockId::kSize; ++i) {
    BlockId id;
    id.bytes[i] = 1;
    EXPECT_TRUE(seen.insert(hash(id)).second) << i;
  }
}

TEST(IdHash, IdsThatShareAllButOneByteSpreadOverBuckets) {
  // What an attacker can aim at is equal prefixes; a table of 256 buckets must not notice.
  SeededRandom random(9);
  const IdHash hash(random);
  constexpr int kIds = 65'536;
  std::array<int, 256> low{}, high{};
  for (int i = 0; i < kIds; ++i) {
    BlockId id;
    id.bytes.fill(0xab);
    id.bytes[20] = static_cast<std::uint8_t>(i);
    id.bytes[31] = static_cast<std::uint8_t>(i >> 8);
    ++low[hash(id) % 256];
    ++high[hash(id) >> 56];
  }
  for (int bucket = 0; bucket < 256; ++bucket) {
    EXPECT_LT(low[static_cast<std::size_t>(bucket)], 2 * kIds / 256);
    EXPECT_LT(high[static_cast<std::size_t>(bucket)], 2 * kIds / 256);
  }
}

}  // namespace
}  // namespace cairn
