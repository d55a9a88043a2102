#include "base/block.h"

#include <gtest/gtest.h>

#include "base/budget.h"

namespace cairn {
namespace {

BlockId id_of(std::uint8_t fill) {
  BlockId id;
  id.bytes.fill(fill);
  return id;
}

TEST(Block, CopiesShareOneBuffer) {
  const Block block = Block::copy_of(id_of(1), as_bytes("hello"));
  const Block copy = block;
  EXPECT_EQ(copy.bytes().data(), block.bytes().data());
  EXPECT_EQ(as_text(copy.bytes()), "hello");
  EXPECT_EQ(copy.id(), id_of(1));
}

TEST(Block, OutlivesTheHandleItWasCopiedFrom) {
  Block copy;
  {
    const Block block = Block::copy_of(id_of(2), as_bytes("stays"));
    copy = block;
  }
  EXPECT_EQ(as_text(copy.bytes()), "stays");
}

TEST(Block, FootprintCoversBodyAndBookkeeping) {
  const Block block = Block::copy_of(id_of(3), Bytes(1000, 7));
  EXPECT_GE(block.footprint_bytes(), 1000U + 32U);
  EXPECT_LT(block.footprint_bytes(), 1400U);
}

TEST(Block, BodyOfAPowerOfTwoIsNotRoundedUp) {
  const Block block = Block::copy_of(id_of(5), Bytes(std::size_t{1} << 20, 7));
  EXPECT_GE(block.footprint_bytes(), (std::size_t{1} << 20) + 40U);
  EXPECT_LT(block.footprint_bytes(), (std::size_t{1} << 20) + 8192U);
}

TEST(BlockBuffer, FillGrowFinishKeepsBytes) {
  BlockBuffer buffer(4);
  std::copy_n(as_bytes("abcd").begin(), 4, buffer.room().begin());
  buffer.commit(4);
  EXPECT_TRUE(buffer.room().empty());
  buffer.grow(8);
  std::copy_n(as_bytes("efg").begin(), 3, buffer.room().begin());
  buffer.commit(3);
  const Block block = std::move(buffer).finish(id_of(4));
  EXPECT_EQ(as_text(block.bytes()), "abcdefg");
  EXPECT_EQ(buffer.size_bytes(), 0U);
}

TEST(BlockBuffer, EmptyBufferHasNoRoom) {
  BlockBuffer buffer;
  EXPECT_TRUE(buffer.room().empty());
  EXPECT_TRUE(buffer.bytes().empty());
}

TEST(ByteBudget, RefusesBeyondLimitAndTakesBack) {
  ByteBudget budget(100);
  auto first = budget.take(60);
  EXPECT_TRUE(first);
  EXPECT_FALSE(budget.take(41));
  EXPECT_TRUE(budget.take(40));
  EXPECT_EQ(budget.used_bytes(), 60U);
  first = {};
  EXPECT_EQ(budget.used_bytes(), 0U);
}

}  // namespace
}  // namespace cairn
