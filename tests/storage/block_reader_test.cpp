#include "storage/block_reader.h"

#include "storage/open_store.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

class BlockReaderTest : public StorageFixture {};

// Bug: beyond the sixteen table files that RocksDB opens at the start, a look-up that may not wait
// was answered with an empty entry, and the block reported corrupt.
TEST_F(BlockReaderTest, TablesThatAreNotOpenAreNotAnsweredFrom) {
  constexpr std::uint64_t kTables = 40;
  std::vector<IndexKey> keys;
  {
    auto store =
        open_store(directory_.path(), {"test", std::nullopt}, Database::Options(), random_, log_);
    ASSERT_TRUE(store.has_value()) << store.error().detail;
    Database& database = *store.value().database;
    for (auto* family : {database.index(), database.body()}) {
      ASSERT_TRUE(database.db().SetOptions(family, {{"disable_auto_compactions", "true"}}).ok());
    }
    for (std::uint64_t i = 0; i < kTables; ++i) {
      const Block block = make_test_block(i, 100 + (i % 2) * 4'000);
      keys.emplace_back(slot_of(block.id(), store.value().identity.placement_seed), block.id());
      IndexEntry entry;
      entry.place = place_for(block.size_bytes());
      entry.size_bytes = block.size_bytes();
      if (entry.place == Place::index) entry.body = as_text(block.bytes());
      std::string value;
      entry.encode(value);
      rocksdb::WriteBatch batch;
      batch.Put(database.index(), to_slice(keys.back().view()), value);
      batch.Put(database.body(), to_slice(keys.back().view()), to_slice(as_text(block.bytes())));
      ASSERT_TRUE(database.write(batch, false).has_value());
      ASSERT_TRUE(database.flush().has_value());
    }
  }
  auto store = open_store_read_only(directory_.path(), log_);
  ASSERT_TRUE(store.has_value()) << store.error().detail;
  BlockReader reader(*store.value().database, *store.value().segments, log_);
  std::size_t left_open = 0;
  for (std::uint64_t i = 0; i < kTables; ++i) {
    const Block block = make_test_block(i, 100 + (i % 2) * 4'000);
    if (const auto at_once = reader.get(keys[i], Wait::never)) {
      ASSERT_TRUE(at_once->has_value()) << at_once->error().detail;
      EXPECT_TRUE(same_bytes(at_once->value(), block));
    } else {
      ++left_open;
    }
    const auto waited = reader.get(keys[i], Wait::allowed);
    ASSERT_TRUE(waited->has_value()) << waited->error().detail;
    EXPECT_TRUE(same_bytes(waited->value(), block));
  }
  EXPECT_GT(left_open, 0U);
  EXPECT_EQ(reader.stats().corrupt, 0U);
}

}  // namespace
}  // namespace cairn
