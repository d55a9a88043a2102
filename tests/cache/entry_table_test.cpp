#include "cache/entry_table.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <list>
#include <map>

#include "tests/cache/support.h"

namespace cairn {
namespace {

constexpr auto kMain = CacheList::main;
constexpr auto kSmall = CacheList::small;

TEST(EntryTable, FindsByTagAndId) {
  EntryTable table;
  table.insert(5, cheap_block(1), 160, kMain, 0);
  table.insert(5, cheap_block(2), 160, kMain, 0);
  ASSERT_NE(table.find(5, cheap_id(1)), kNoIndex);
  EXPECT_EQ(table[table.find(5, cheap_id(1))].block.id(), cheap_id(1));
  EXPECT_EQ(table[table.find(5, cheap_id(2))].block.id(), cheap_id(2));
  EXPECT_EQ(table.find(5, cheap_id(3)), kNoIndex);
  EXPECT_EQ(table.find(6, cheap_id(1)), kNoIndex);
}

TEST(EntryTable, BytesAreCountedInWordsAList) {
  EntryTable table;
  const CacheIndex one = table.insert(1, cheap_block(1), 161, kMain, 0);
  table.insert(2, cheap_block(2), 80, kSmall, 0);
  EXPECT_EQ(table.bytes(kMain), 168U);
  EXPECT_EQ(table.bytes(kSmall), 80U);
  table.move_to_front(kSmall, one);
  EXPECT_EQ(table.bytes(kMain), 0U);
  EXPECT_EQ(table.bytes(), 248U);
}

TEST(EntryTable, OverheadAnEntryIsAtMost40BytesAndGivenBack) {
  EntryTable table;
  constexpr std::uint32_t kEntries = 50'000;
  const Block block = cheap_block(1, 1);
  for (std::uint32_t i = 0; i < kEntries; ++i) {
    table.insert(i * 2654435761U, block, 48, kMain, 0);
  }
  EXPECT_LE(table.overhead_bytes(), kEntries * 40U);
  while (table.size() > 10) table.erase(table.back(kMain));
  EXPECT_LE(table.overhead_bytes(), 16U << 10);
}

/// Lists of block numbers from front to back, and where each block is.
struct Model {
  std::array<std::list<std::uint8_t>, kCacheLists> lists;
  std::map<std::uint8_t, std::size_t> on;
};

void check_order(EntryTable& table, const Model& model) {
  for (const CacheList list : {kMain, kSmall}) {
    const auto& expected = model.lists[static_cast<std::size_t>(list)];
    CacheIndex i = table.back(list);
    for (auto at = expected.rbegin(); at != expected.rend(); ++at) {
      RC_ASSERT(i != kNoIndex);
      RC_ASSERT(table[i].block.id() == cheap_id(*at));
      i = table[i].prev;
    }
    RC_ASSERT(i == kNoIndex);
  }
}

TEST(EntryTable, AgreesWithAModel) {
  EXPECT_TRUE(rc::check([] {
    EntryTable table;
    Model model;
    const int steps = *rc::gen::inRange(0, 600);
    // Few tags, so that chains are long; few blocks, so that they come and go.
    const auto tag_of = [](std::uint8_t number) { return number % 13U; };
    for (int step = 0; step < steps; ++step) {
      const auto number = *rc::gen::arbitrary<std::uint8_t>();
      const auto list = *rc::gen::element(kMain, kSmall);
      auto& front = model.lists[static_cast<std::size_t>(list)];
      const auto held = model.on.find(number);
      const CacheIndex i = table.find(tag_of(number), cheap_id(number));
      RC_ASSERT((i != kNoIndex) == (held != model.on.end()));
      if (i == kNoIndex) {
        table.insert(tag_of(number), cheap_block(number, 1), 48, list, 0);
      } else {
        model.lists[held->second].remove(number);
        if (*rc::gen::arbitrary<bool>()) {
          RC_ASSERT(table.erase(i).id() == cheap_id(number));
          model.on.erase(held);
          continue;
        }
        table.move_to_front(list, i);
      }
      front.push_front(number);
      model.on[number] = static_cast<std::size_t>(list);
    }
    RC_ASSERT(table.size() == model.on.size());
    check_order(table, model);
  }));
}

}  // namespace
}  // namespace cairn
