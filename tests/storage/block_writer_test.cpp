// Group commit: how requests that wait together share a batch.
#include "storage/block_writer.h"

#include <unistd.h>

#include "storage/open_store.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

class BlockWriterTest : public StorageFixture {
 protected:
  void SetUp() override {
    options_.world.sync_file = [this](int descriptor) {
      ++syncs_;
      hang_.wait(true);
      return ::fdatasync(descriptor);
    };
    open();
  }

  /// Starts `tasks` while the writer is stuck in a sync, so that they come to wait together.
  template <class T>
  std::vector<T> all_in_one_batch(std::vector<Task<T>> tasks) {
    hang_ = true;
    const Block plug = make_test_block(999'999, 40'000);
    std::optional<Result<Stored>> plugged;
    boost::asio::co_spawn(io_, await_into(blocks().put(plug, soon()), plugged),
                          boost::asio::detached);
    std::vector<std::optional<T>> results(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      boost::asio::co_spawn(io_, await_into(std::move(tasks[i]), results[i]),
                            boost::asio::detached);
    }
    io_.restart();
    EXPECT_TRUE(eventually([&] {
      io_.poll();
      return storage_->stats().waiting_writes > 1 && syncs_ > 0;
    }));
    before_ = storage_->stats().write_batches;
    hang_ = false;
    hang_.notify_all();
    io_.run();
    std::vector<T> out;
    for (auto& result : results) out.push_back(std::move(*result));
    return out;
  }

  std::atomic<int> syncs_{0};
  std::atomic<bool> hang_{false};
  std::uint64_t before_ = 0;
};

TEST_F(BlockWriterTest, RequestsThatWaitTogetherShareABatch) {
  std::vector<Task<Result<Stored>>> puts;
  for (std::uint64_t i = 0; i < 64; ++i) {
    puts.push_back(blocks().put(make_test_block(i, 4096), soon()));
  }
  for (const auto& result : all_in_one_batch(std::move(puts))) {
    EXPECT_EQ(result.value(), Stored::created);
  }
  // The plug's own batch, and one or two for the 64 (some may come in late).
  EXPECT_LE(storage_->stats().write_batches, 3U);
  EXPECT_EQ(storage_->stats().written_blocks, 65U);
}

TEST_F(BlockWriterTest, EqualPutsAreWrittenOnce) {
  const Block block = make_test_block(1, 4096);
  std::vector<Task<Result<Stored>>> puts;
  for (int i = 0; i < 20; ++i) puts.push_back(blocks().put(block, soon()));
  const auto results = all_in_one_batch(std::move(puts));
  EXPECT_EQ(std::ranges::count_if(results, [](const auto& r) { return r.value() == Stored::held; }),
            19);
  EXPECT_EQ(storage_->stats().written_blocks, 2U);
}

TEST_F(BlockWriterTest, LargeBlocksThatWaitTogetherShareASync) {
  std::vector<Task<Result<Stored>>> puts;
  for (std::uint64_t i = 0; i < 8; ++i) {
    puts.push_back(blocks().put(make_test_block(i, 60'000), soon()));
  }
  for (const auto& result : all_in_one_batch(std::move(puts))) {
    EXPECT_EQ(result.value(), Stored::created);
  }
  EXPECT_LE(syncs_.load(), 3);
  for (std::uint64_t i = 0; i < 8; ++i) expect_held(make_test_block(i, 60'000));
}

TEST_F(BlockWriterTest, PutAndEraseOfOneBlockKeepTheirOrder) {
  const Block block = make_test_block(1, 4096);
  const IndexKey key(slot_of(block.id(), storage_->identity().placement_seed), block.id());
  ASSERT_TRUE(put(block).has_value());
  for (int round = 0; round < 20; ++round) {
    std::optional<Result<void>> erased;
    std::optional<Result<Stored>> stored;
    boost::asio::co_spawn(io_, await_into(blocks().erase(block.id(), soon()), erased),
                          boost::asio::detached);
    boost::asio::co_spawn(io_, await_into(blocks().put(block, soon()), stored),
                          boost::asio::detached);
    io_.restart();
    io_.run();
    ASSERT_TRUE(erased->has_value());
    ASSERT_TRUE(stored->has_value());
    const bool there = get(block.id()).has_value();
    // Held means that the put saw the block before the erase took it; created, that it came after.
    EXPECT_EQ(there, stored->value() == Stored::created);
    ASSERT_TRUE(put(block).has_value());
  }
}

TEST_F(BlockWriterTest, DestructionFinishesWhatWaits) {
  std::vector<std::optional<Result<Stored>>> results(32);
  {
    // Callers that are not run any more: what they asked for is done, they are not told.
    IoContext io{1};
    for (std::uint64_t i = 0; i < results.size(); ++i) {
      boost::asio::co_spawn(io,
                            await_into(blocks().put(make_test_block(i, 4096), soon()), results[i]),
                            boost::asio::detached);
    }
    io.poll();
    close();
  }
  open();
  for (std::uint64_t i = 0; i < results.size(); ++i) expect_held(make_test_block(i, 4096));
}

}  // namespace
}  // namespace cairn
