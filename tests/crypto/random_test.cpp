#include "crypto/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace cairn {
namespace {

TEST(SystemRandom, EveryByteOfARangeIsFilledSoonerOrLater) {
  SystemRandom random;
  Bytes seen(37, 0);
  for (int round = 0; round < 64; ++round) {
    Bytes bytes(37, 0);
    random.fill(bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) seen[i] |= bytes[i];
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0);
}

TEST(SystemRandom, NumbersDoNotRepeat) {
  SystemRandom random;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.next_u64());
  EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace cairn
