// The store as a whole: full and failing disks, corruption, erasing, what is answered at once.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "storage/index_entry.h"
#include "storage/open_store.h"
#include "storage/value_record.h"
#include "tests/storage/faulty_env.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

class StorageTest : public StorageFixture {
 protected:
  std::uint64_t allocated_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& file : segment_files()) {
      struct stat status {};
      EXPECT_EQ(::stat(file.c_str(), &status), 0);
      sum += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
    return sum;
  }

  Result<BlockStat> stat(const BlockId& id) { return run_task(io_, blocks().stat(id, soon())); }
  std::vector<BlockId> missing(const BlockId& id) {
    return run_task(io_, blocks().missing({id}, soon())).value();
  }
  /// Closes the store and counts its notes of suspects.
  std::size_t suspects() {
    close();
    const auto store = open_store_read_only(directory_.path(), log_);
    Database& database = *store.value().database;
    const std::unique_ptr<rocksdb::Iterator> meta(
        database.db().NewIterator(rocksdb::ReadOptions(), database.meta()));
    std::size_t count = 0;
    for (meta->SeekToFirst(); meta->Valid(); meta->Next()) {
      count += meta->key().starts_with("suspect/") ? 1 : 0;
    }
    return count;
  }

  /// Flips one byte of the body in whichever file of `folder` it lies.
  void spoil(const char* folder, const Block& block) {
    const std::string_view body = as_text(block.bytes());
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path() / folder)) {
      const std::size_t at = find_in_file(entry.path(), body);
      if (at == std::string::npos) continue;
      overwrite_file(entry.path(), at + 10, std::string(1, static_cast<char>(body[10] ^ 1)));
      return;
    }
    FAIL() << "the body is in no file of " << folder;
  }
};

TEST_F(StorageTest, SmallBlocksAndAbsenceAreAnsweredAtOnce) {
  open();
  const Block tiny = make_test_block(1, 100);
  const Block small = make_test_block(2, 4096);
  const Block large = make_test_block(3, 100'000);
  for (const Block& block : {tiny, small, large}) ASSERT_TRUE(put(block).has_value());
  for (const Block& block : {tiny, small}) {
    const auto found = blocks().try_get(block.id());
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(same_bytes(found->value().block, block));
    EXPECT_EQ(found->value().source, Source::storage);
  }
  const auto absent = blocks().try_get(make_test_block(4, 1).id());
  ASSERT_TRUE(absent.has_value());
  EXPECT_EQ(absent->error().code, Errc::not_found);
  // A large body must be read from the disk, which is not for the calling core.
  EXPECT_FALSE(blocks().try_get(large.id()).has_value());
  EXPECT_EQ(storage_->stats().reads_waited, 0U);
}

TEST_F(StorageTest, FullDiskRefusesPutsAndNothingElseUntilThereIsRoom) {
  std::atomic<std::uint64_t> free{1'000'000};
  options_.reserve = DiskReserve{0, 5.0};
  options_.world.disk_space = [&free](const auto&) -> Result<DiskSpace> {
    return DiskSpace{free.load(), 10'000'000};
  };
  open();
  const Block kept = make_test_block(1, 4096);
  const Block erased = make_test_block(2, 100'000);
  ASSERT_TRUE(put(kept).has_value());
  ASSERT_TRUE(put(erased).has_value());
  free = 499'999;
  ASSERT_TRUE(eventually([this] { return storage_->stats().full; }));
  const Block refused = make_test_block(3, 100);
  EXPECT_EQ(put(refused).error().code, Errc::full);
  EXPECT_EQ(put(kept).value(), Stored::held);
  expect_held(kept);
  EXPECT_TRUE(erase(erased.id()).has_value());
  EXPECT_EQ(get(erased.id()).error().code, Errc::not_found);
  free = 600'000;
  ASSERT_TRUE(eventually([this] { return !storage_->stats().full; }));
  EXPECT_EQ(put(refused).value(), Stored::created);
  EXPECT_EQ(log_.count("storage_full"), 1U);
  EXPECT_EQ(log_.count("storage_has_room"), 1U);
}

TEST_F(StorageTest, QuickWriterDoesNotPassTheReserveBetweenTwoQuestions) {
  constexpr std::uint64_t kSize = 100'000;
  std::atomic<std::uint64_t> free{2'000'000};
  options_.reserve = DiskReserve{0, 5.0};
  options_.world.disk_space = [&free](const auto&) -> Result<DiskSpace> {
    return DiskSpace{free.load(), 10'000'000};
  };
  open();
  for (unsigned number = 0; free > 0; ++number) {
    free -= kSize;
    const auto stored = put(make_test_block(number, kSize));
    if (stored.has_value()) continue;
    EXPECT_EQ(stored.error().code, Errc::full);
    break;
  }
  EXPECT_GE(free, 500'000 - 3 * kSize);
}

TEST_F(StorageTest, FailedSyncOfTheValueLogFailsThePutAndIsNotTrustedAgain) {
  std::atomic<bool> broken{false};
  options_.world.sync_file = [&broken](int descriptor) {
    if (!broken) return ::fdatasync(descriptor);
    errno = EIO;
    return -1;
  };
  open();
  const Block before = make_test_block(1, 100'000);
  const Block failed = make_test_block(2, 100'000);
  const Block small = make_test_block(3, 4096);
  const Block after = make_test_block(4, 100'000);
  ASSERT_TRUE(put(before).has_value());
  broken = true;
  EXPECT_EQ(put(failed).error().code, Errc::unavailable);
  EXPECT_EQ(get(failed.id()).error().code, Errc::not_found);
  // Small blocks do not go through that file.
  EXPECT_TRUE(put(small).has_value());
  broken = false;
  ASSERT_TRUE(put(after).has_value());
  EXPECT_EQ(segment_files().size(), 2U);
  EXPECT_EQ(log_.count("value_log_failed"), 1U);
  reopen();
  for (const Block& block : {before, small, after}) expect_held(block);
  EXPECT_EQ(get(failed.id()).error().code, Errc::not_found);
  EXPECT_EQ(put(failed).value(), Stored::created);
}

TEST_F(StorageTest, FailedSyncOfTheIndexStopsWritesAndKeepsWhatWasAcknowledged) {
  std::atomic<LogFault> fault{LogFault::none};
  const auto env = rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(fault));
  options_.world.env = env.get();
  open();
  const Block before = make_test_block(1, 4096);
  ASSERT_TRUE(put(before).has_value());
  fault = LogFault::sync_error;
  const auto refused = put(make_test_block(2, 4096));
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_EQ(put(make_test_block(3, 100'000)).error().code, Errc::unavailable);
  expect_held(before);
  EXPECT_TRUE(storage_->stats().stopped);
  EXPECT_FALSE(storage_->stats().full);
  EXPECT_GE(log_.count("storage_write_stopped"), 1U);
  close();
  fault = LogFault::none;
  open();
  expect_held(before);
  EXPECT_TRUE(put(make_test_block(3, 100'000)).has_value());
  close();  // Before its Env goes.
}

TEST_F(StorageTest, IndexWithoutRoomIsFullAndGoesOnWhenRoomReturns) {
  std::atomic<LogFault> fault{LogFault::none};
  const auto env = rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(fault));
  options_.world.env = env.get();
  open();
  const Block before = make_test_block(1, 4096);
  ASSERT_TRUE(put(before).has_value());
  fault = LogFault::no_space;
  EXPECT_EQ(put(make_test_block(2, 4096)).error().code, Errc::full);
  EXPECT_EQ(put(make_test_block(3, 100'000)).error().code, Errc::full);
  EXPECT_TRUE(storage_->stats().full);
  expect_held(before);
  fault = LogFault::none;
  ASSERT_TRUE(eventually([this] { return !storage_->stats().stopped; }));
  EXPECT_EQ(put(make_test_block(2, 4096)).value(), Stored::created);
  EXPECT_EQ(put(make_test_block(3, 100'000)).value(), Stored::created);
  reopen();
  for (const std::uint64_t seed : {1U, 2U}) expect_held(make_test_block(seed, 4096));
  expect_held(make_test_block(3, 100'000));
  close();  // Before its Env goes.
}

TEST_F(StorageTest, EraseOfABlockWhosePutFailedIsNotUndoneByAStart) {
  std::atomic<LogFault> fault{LogFault::none};
  const auto env = rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(fault));
  options_.world.env = env.get();
  open();
  const Block block = make_test_block(1, 100'000);
  fault = LogFault::no_space;
  // The body is durable in the value log before the index fails.
  ASSERT_TRUE(put(block).has_error());
  EXPECT_TRUE(erase(block.id()).has_error());
  fault = LogFault::none;
  ASSERT_TRUE(eventually([&] { return erase(block.id()).has_value(); }));
  reopen();
  EXPECT_EQ(get(block.id()).error().code, Errc::not_found);
  close();  // Before its Env goes.
}

TEST_F(StorageTest, CorruptBodyIsNeverServedAndHealsWhenPutAgain) {
  open();
  const Block large = make_test_block(1, 100'000);
  const Block small = make_test_block(2, 4096);
  ASSERT_TRUE(put(large).has_value());
  ASSERT_TRUE(put(small).has_value());
  reopen();  // Moves the small body from the log of RocksDB to a blob file.
  close();
  spoil("values", large);
  // In the log of RocksDB's past and in the blob file; the latter is what is read.
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path() / "index")) {
    const std::size_t at = find_in_file(entry.path(), as_text(small.bytes()));
    if (at != std::string::npos) overwrite_file(entry.path(), at, "XXXX");
  }
  open();
  std::size_t seen = 0;
  for (const Block& block : {large, small}) {
    SCOPED_TRACE(block.size_bytes());
    const auto found = get(block.id());
    ASSERT_TRUE(found.has_error());
    EXPECT_EQ(found.error().code, Errc::corrupt);
    EXPECT_EQ(log_.count("block_corrupt"), ++seen);
    EXPECT_EQ(storage_->stats().corrupt_reads, seen);
    EXPECT_EQ(put(block).value(), Stored::created);
    expect_held(block);
    EXPECT_EQ(put(block).value(), Stored::held);
  }
  reopen();
  expect_held(large);
  expect_held(small);
}

TEST_F(StorageTest, BlockFoundCorruptIsSuspectAfterARestartToo) {
  open();
  const Block healed = make_test_block(1, 100'000);
  const Block erased = make_test_block(2, 100'000);
  for (const Block& block : {healed, erased}) {
    ASSERT_TRUE(put(block).has_value());
    spoil("values", block);
    EXPECT_EQ(get(block.id()).error().code, Errc::corrupt);
  }
  reopen();
  for (const Block& block : {healed, erased}) {
    EXPECT_EQ(stat(block.id()).error().code, Errc::corrupt);
    EXPECT_EQ(missing(block.id()), std::vector<BlockId>{block.id()});
  }
  EXPECT_EQ(put(healed).value(), Stored::created);
  ASSERT_TRUE(erase(erased.id()).has_value());
  EXPECT_EQ(put(erased).value(), Stored::created);
  for (int start = 0; start < 2; ++start) {
    for (const Block& block : {healed, erased}) {
      expect_held(block);
      EXPECT_EQ(stat(block.id()).value().size_bytes, block.size_bytes());
      EXPECT_TRUE(missing(block.id()).empty());
      EXPECT_EQ(put(block).value(), Stored::held);
    }
    reopen();
  }
}

TEST_F(StorageTest, NoteOfASuspectGoesWithTheEntryThatItIsAbout) {
  open();
  const Block healed = make_test_block(1, 100'000);
  const Block erased = make_test_block(2, 100'000);
  for (const Block& block : {healed, erased}) {
    ASSERT_TRUE(put(block).has_value());
    spoil("values", block);
    EXPECT_EQ(get(block.id()).error().code, Errc::corrupt);
  }
  EXPECT_EQ(suspects(), 2U);
  open();
  ASSERT_TRUE(put(healed).has_value());
  ASSERT_TRUE(erase(erased.id()).has_value());
  EXPECT_EQ(suspects(), 0U);
}

TEST_F(StorageTest, SuspectThatCannotBeNotedIsRememberedMeanwhile) {
  std::atomic<LogFault> fault{LogFault::none};
  const auto env = rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(fault));
  options_.world.env = env.get();
  open();
  const Block block = make_test_block(1, 100'000);
  ASSERT_TRUE(put(block).has_value());
  spoil("values", block);
  fault = LogFault::no_space;
  EXPECT_EQ(get(block.id()).error().code, Errc::corrupt);
  EXPECT_EQ(stat(block.id()).error().code, Errc::corrupt);
  EXPECT_EQ(put(block).error().code, Errc::full);
  fault = LogFault::none;
  ASSERT_TRUE(eventually([this] { return !storage_->stats().stopped; }));
  EXPECT_EQ(put(block).value(), Stored::created);
  expect_held(block);
  close();  // Before its Env goes.
}

TEST_F(StorageTest, UnreadableBlobIsSuspectUntilItCanBeReadAgain) {
  ReadFaults faults;
  const auto env = rocksdb::NewCompositeEnv(std::make_shared<FaultyReadFileSystem>(faults));
  options_.world.env = env.get();
  open();
  const Block read_again = make_test_block(1, 4096);
  const Block put_again = make_test_block(2, 4096);
  for (const Block& block : {read_again, put_again}) ASSERT_TRUE(put(block).has_value());
  reopen();  // Moves them to a blob file
  reopen();  // and out of memory.
  faults.blobs = ReadFault::io_error;
  for (const Block& block : {read_again, put_again}) {
    EXPECT_EQ(get(block.id()).error().code, Errc::corrupt);
    EXPECT_EQ(stat(block.id()).error().code, Errc::corrupt);
  }
  EXPECT_EQ(log_.count("block_corrupt"), 2U);
  EXPECT_EQ(put(put_again).value(), Stored::created);
  faults.blobs = ReadFault::none;
  for (const Block& block : {read_again, put_again}) {
    expect_held(block);
    EXPECT_TRUE(stat(block.id()).has_value());
    EXPECT_EQ(put(block).value(), Stored::held);
  }
  close();  // Before its Env goes.
}

TEST_F(StorageTest, StuckDiskEndsEveryCallByItsDeadline) {
  ReadFaults faults;
  const auto env = rocksdb::NewCompositeEnv(std::make_shared<FaultyReadFileSystem>(faults));
  options_.world.env = env.get();
  open();
  std::vector<Block> held;
  for (std::uint64_t seed = 0; seed < 8; ++seed) held.push_back(make_test_block(seed, 4096));
  for (const Block& block : held) ASSERT_TRUE(put(block).has_value());
  reopen();  // Moves them to files
  reopen();  // and out of memory.
  faults.set(ReadFault::hang);
  const auto until = [this] { return clock_.in(std::chrono::milliseconds(20)); };
  // More than there are threads: some are stuck, some wait for a thread.
  std::vector<Task<Result<Found>>> gets;
  for (const Block& block : held) gets.push_back(blocks().get(block.id(), until()));
  for (const auto& found : run_tasks(io_, std::move(gets))) {
    EXPECT_EQ(found.error().code, Errc::unavailable);
  }
  const Block& known = held.front();
  const Block fresh = make_test_block(99, 4096);
  EXPECT_EQ(run_task(io_, blocks().stat(known.id(), until())).error().code, Errc::unavailable);
  EXPECT_EQ(run_task(io_, blocks().missing({known.id()}, until())).error().code, Errc::unavailable);
  EXPECT_EQ(run_task(io_, blocks().put(known, until())).error().code, Errc::unavailable);
  for (const auto& stored : run_task(io_, blocks().put_many({known, fresh}, until()))) {
    EXPECT_EQ(stored.error().code, Errc::unavailable);
  }
  EXPECT_EQ(run_task(io_, blocks().erase(known.id(), until())).error().code, Errc::unavailable);
  EXPECT_EQ(storage_->stats().waiting_reads, 0U);
  faults.set(ReadFault::none);
  for (const Block& block : held) expect_held(block);
  EXPECT_EQ(put(fresh).value(), Stored::created);
  close();  // Before its Env goes.
}

TEST_F(StorageTest, StoppedStoreBelowTheReserveGoesOnAndErases) {
  std::atomic<LogFault> fault{LogFault::none};
  const auto env = rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(fault));
  options_.world.env = env.get();
  std::atomic<std::uint64_t> free{1'000'000};
  options_.reserve = DiskReserve{0, 5.0};
  options_.world.disk_space = [&free](const auto&) -> Result<DiskSpace> {
    return DiskSpace{free.load(), 10'000'000};
  };
  open();
  const Block block = make_test_block(1, 4096);
  ASSERT_TRUE(put(block).has_value());
  free = 100'000;
  fault = LogFault::no_space;
  const auto refused = erase(block.id());
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  ASSERT_TRUE(eventually([this] { return storage_->stats().disk_free_bytes == 100'000; }));
  fault = LogFault::none;
  ASSERT_TRUE(eventually([&] { return erase(block.id()).has_value(); }));
  EXPECT_EQ(get(block.id()).error().code, Errc::not_found);
  const auto stored = put(block);
  ASSERT_TRUE(stored.has_error());
  EXPECT_EQ(stored.error().code, Errc::full);
  close();  // Before its Env goes.
}

TEST_F(StorageTest, EraseGivesRoomBackAndEmptySegmentsGo) {
  open();
  std::vector<Block> held;
  for (std::uint64_t i = 0; i < 24; ++i) {
    held.push_back(make_test_block(i, 100'000));
    ASSERT_TRUE(put(held.back()).has_value());
  }
  ASSERT_EQ(segment_files().size(), 3U);
  const std::uint64_t before = allocated_bytes();
  ASSERT_TRUE(erase(held.back().id()).has_value());
  EXPECT_LE(allocated_bytes() + record_extent_bytes(100'000), before);
  // Everything but the newest of what is left.
  for (std::size_t i = 0; i + 2 < held.size(); ++i) {
    ASSERT_TRUE(erase(held[i].id()).has_value());
  }
  EXPECT_EQ(segment_files().size(), 1U);
  EXPECT_GE(storage_->stats().released_bytes, 23 * record_extent_bytes(100'000));
  expect_held(held[held.size() - 2]);
  reopen();
  expect_held(held[held.size() - 2]);
  for (const Block& block : held) {
    EXPECT_TRUE(put(block).has_value());
    expect_held(block);
  }
}

TEST_F(StorageTest, PutThatTheDiskDoesNotAnswerEndsByItsDeadline) {
  std::atomic<bool> hang{false};
  options_.world.sync_file = [&hang](int descriptor) {
    hang.wait(true);
    return ::fdatasync(descriptor);
  };
  open();
  const Block first = make_test_block(1, 100'000);
  ASSERT_TRUE(put(first).has_value());
  hang = true;
  const Block late = make_test_block(2, 100'000);
  const auto stored = run_task(io_, blocks().put(late, clock_.in(std::chrono::milliseconds(20))));
  ASSERT_TRUE(stored.has_error());
  EXPECT_EQ(stored.error().code, Errc::unavailable);
  expect_held(first);
  hang = false;
  hang.notify_all();
  // It may have happened, and here it did.
  ASSERT_TRUE(eventually([&] { return get(late.id()).has_value(); }));
}

TEST_F(StorageTest, FullQueueIsOverloaded) {
  std::atomic<bool> hang{true};
  options_.world.sync_file = [&hang](int descriptor) {
    hang.wait(true);
    return ::fdatasync(descriptor);
  };
  options_.queue_bytes = 1'000'000;
  open();
  std::vector<Block> many;
  for (std::uint64_t i = 0; i < 12; ++i) many.push_back(make_test_block(i, 100'000));
  std::vector<std::optional<Result<Stored>>> results(many.size());
  for (std::size_t i = 0; i < many.size(); ++i) {
    boost::asio::co_spawn(io_, await_into(blocks().put(many[i], soon()), results[i]),
                          [](std::exception_ptr) {});
  }
  io_.restart();
  ASSERT_TRUE(eventually([&] {
    io_.poll();
    return results.back().has_value();
  }));
  EXPECT_EQ(results.back()->error().code, Errc::overloaded);
  hang = false;
  hang.notify_all();
  io_.run();
  std::size_t stored = 0;
  for (std::size_t i = 0; i < many.size(); ++i) {
    ASSERT_TRUE(results[i].has_value());
    if (results[i]->has_value()) {
      ++stored;
      expect_held(many[i]);
    } else {
      EXPECT_EQ(results[i]->error().code, Errc::overloaded);
    }
  }
  EXPECT_EQ(stored, 9U);
}

TEST_F(StorageTest, WithoutSyncBlocksSurviveAnOrderlyEnd) {
  options_.sync = false;
  options_.world.sync_file = [](int) -> int {
    ADD_FAILURE() << "synced";
    return 0;
  };
  open();
  for (const std::size_t size : {100U, 4096U, 100'000U}) {
    ASSERT_TRUE(put(make_test_block(5, size)).has_value());
  }
  reopen();
  for (const std::size_t size : {100U, 4096U, 100'000U}) expect_held(make_test_block(5, size));
}

TEST_F(StorageTest, StatsCountWhatHappened) {
  open();
  const Block block = make_test_block(1, 4096);
  ASSERT_TRUE(put(block).has_value());
  ASSERT_TRUE(put(block).has_value());
  ASSERT_TRUE(erase(block.id()).has_value());
  const StorageStats stats = storage_->stats();
  EXPECT_EQ(stats.touches, 1U);
  EXPECT_EQ(stats.erased, 1U);
  EXPECT_EQ(stats.written_blocks, 2U);
  EXPECT_EQ(stats.write_batches, 2U);
  EXPECT_EQ(stats.waiting_writes, 0U);
  EXPECT_GT(stats.disk_free_bytes, 0U);
  EXPECT_GT(stats.write_busy_ns, 0U);
}

}  // namespace
}  // namespace cairn
