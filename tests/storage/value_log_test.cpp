// The value log across crashes of the machine: pointers that were lost, records that are torn.
#include "storage/open_store.h"
#include "storage/value_log_recovery.h"
#include "storage/value_segments.h"
#include "tests/storage/file_faults.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

class ValueLogTest : public StorageFixture {
 protected:
  void copy_index(const char* from, const char* to) {
    std::filesystem::remove_all(directory_.path() / to);
    std::filesystem::copy(directory_.path() / from, directory_.path() / to,
                          std::filesystem::copy_options::recursive);
  }

  TemporaryDirectory killed_;  ///< For copies of a store in use: what kill -9 leaves.

  Block large(std::uint64_t seed) { return make_test_block(seed, 40'000 + seed * 1'000); }
};

TEST_F(ValueLogTest, AcknowledgedBlocksWhosePointersWereLostAreFoundAgain) {
  open();
  ASSERT_TRUE(put(large(1)).has_value());
  close();
  // A machine that loses power forgets what the index had not synced: an older index.
  copy_index("index", "older");
  open();
  for (std::uint64_t seed = 2; seed < 50; ++seed) ASSERT_TRUE(put(large(seed)).has_value());
  ASSERT_GE(segment_files().size(), 3U);
  close();
  copy_index("older", "index");
  open();
  EXPECT_EQ(storage_->stats().adopted_at_start, 48U);
  for (std::uint64_t seed = 1; seed < 50; ++seed) expect_held(large(seed));
  ASSERT_TRUE(put(large(60)).has_value());
  reopen();
  EXPECT_EQ(storage_->stats().adopted_at_start, 0U);
  for (std::uint64_t seed = 1; seed < 50; ++seed) expect_held(large(seed));
  expect_held(large(60));
}

TEST_F(ValueLogTest, OnlySyncedBatchesSayWhatTheNextStartNeedNotLookThrough) {
  open();
  ASSERT_TRUE(put(large(1)).has_value());
  ASSERT_TRUE(put(large(2)).has_value());
  std::filesystem::copy(directory_.path(), killed_.path() / "unsynced",
                        std::filesystem::copy_options::recursive);
  ASSERT_TRUE(put(make_test_block(3, 4'096)).has_value());
  std::filesystem::copy(directory_.path(), killed_.path() / "synced",
                        std::filesystem::copy_options::recursive);
  close();
  const auto records_looked_at = [this](const std::filesystem::path& directory) {
    RecordingLog log;
    options_.directory = directory;
    auto opened = Storage::open(options_, clock_, random_, log);
    EXPECT_TRUE(opened.has_value());
    return log.count("value_log_recovered");
  };
  // The pointers are in the kernel's copy of RocksDB's log; after a power failure, any of them.
  EXPECT_EQ(records_looked_at(killed_.path() / "unsynced"), 1U);
  EXPECT_EQ(records_looked_at(killed_.path() / "synced"), 0U);
  EXPECT_EQ(records_looked_at(directory_.path()), 0U);
}

TEST_F(ValueLogTest, ErasedBlocksStayErasedAfterAStart) {
  open();
  for (std::uint64_t seed = 1; seed < 10; ++seed) ASSERT_TRUE(put(large(seed)).has_value());
  for (std::uint64_t seed = 1; seed < 9; ++seed) ASSERT_TRUE(erase(large(seed).id()).has_value());
  reopen();
  EXPECT_EQ(storage_->stats().adopted_at_start, 0U);
  for (std::uint64_t seed = 1; seed < 9; ++seed) {
    EXPECT_EQ(get(large(seed).id()).error().code, Errc::not_found);
  }
  expect_held(large(9));
}

TEST_F(ValueLogTest, TornTailIsLeftOutAndNewBlocksGoOn) {
  open();
  ASSERT_TRUE(put(large(1)).has_value());
  close();
  copy_index("index", "older");
  open();
  ASSERT_TRUE(put(large(2)).has_value());
  ASSERT_TRUE(put(large(3)).has_value());
  close();
  copy_index("older", "index");
  // The last record's body did not reach the disk whole, and what follows is garbage.
  const auto file = segment_files().front();
  const std::size_t at = find_in_file(file, as_text(large(3).bytes()));
  ASSERT_NE(at, std::string::npos);
  overwrite_file(file, at + 20'000, std::string(5'000, '\0'));
  overwrite_file(file, std::filesystem::file_size(file), std::string(9'000, 'g'));
  open();
  EXPECT_EQ(storage_->stats().adopted_at_start, 1U);
  expect_held(large(1));
  expect_held(large(2));
  EXPECT_EQ(get(large(3).id()).error().code, Errc::not_found);
  EXPECT_EQ(put(large(3)).value(), Stored::created);
  ASSERT_TRUE(put(large(4)).has_value());
  reopen();
  for (std::uint64_t seed = 1; seed < 5; ++seed) expect_held(large(seed));
}

TEST_F(ValueLogTest, RepairOfARottenBodyWhosePointerWasLostIsFoundAgain) {
  open();
  ASSERT_TRUE(put(large(1)).has_value());
  close();
  copy_index("index", "older");
  const auto file = segment_files().front();
  overwrite_file(file, find_in_file(file, as_text(large(1).bytes())) + 1'000, "rotten");
  open();
  ASSERT_EQ(get(large(1).id()).error().code, Errc::corrupt);
  ASSERT_EQ(put(large(1)).value(), Stored::created);
  expect_held(large(1));
  close();
  copy_index("older", "index");
  open();
  EXPECT_EQ(storage_->stats().adopted_at_start, 1U);
  expect_held(large(1));
}

TEST_F(ValueLogTest, TornTailGivesItsRoomBackAndIsWrittenOver) {
  open();
  ASSERT_TRUE(put(large(1)).has_value());
  close();
  copy_index("index", "older");
  open();
  for (const std::uint64_t seed : {2U, 3U, 4U}) ASSERT_TRUE(put(large(seed)).has_value());
  close();
  copy_index("older", "index");
  // Of three records one's header did not reach the disk; garbage and room kept follow the last.
  const auto file = segment_files().front();
  const auto end = std::filesystem::file_size(file);
  const std::size_t second = find_in_file(file, as_text(large(2).bytes())) - kRecordHeaderBytes;
  const std::size_t third = find_in_file(file, as_text(large(3).bytes())) - kRecordHeaderBytes;
  overwrite_file(file, third, std::string(16, 'x'));
  overwrite_file(file, end, std::string(9'000, 'g'));
  std::filesystem::resize_file(file, end + (std::size_t{8} << 20));
  open();
  EXPECT_EQ(storage_->stats().adopted_at_start, 2U);
  EXPECT_EQ(std::filesystem::file_size(file), end);
  const auto identity = storage_->identity();
  {
    ValueSegments segments(directory_.path() / "values", identity.store_id);
    SegmentWalk walk(segments, 0, second);
    std::size_t records = 0;
    while (walk.next().value().has_value()) ++records;
    EXPECT_EQ(records, 2U);
    EXPECT_EQ(walk.garbage_pages(), 0U);
  }
  EXPECT_EQ(get(large(3).id()).error().code, Errc::not_found);
  ASSERT_TRUE(put(large(3)).has_value());
  EXPECT_EQ(segment_files().size(), 1U);
  reopen();
  for (std::uint64_t seed = 1; seed < 5; ++seed) expect_held(large(seed));
}

TEST_F(ValueLogTest, UnreadablePartsOfTheTailCostOnlyTheirRecords) {
  open();
  ASSERT_TRUE(put(large(1)).has_value());
  close();
  copy_index("index", "older");
  open();
  for (const std::uint64_t seed : {2U, 3U, 4U}) ASSERT_TRUE(put(large(seed)).has_value());
  close();
  copy_index("older", "index");
  const auto file = segment_files().front();
  const auto size = std::filesystem::file_size(file);
  const std::size_t header = find_in_file(file, as_text(large(2).bytes())) - kRecordHeaderBytes;
  const std::size_t body = find_in_file(file, as_text(large(3).bytes())) + 20'000;
  {
    FileFaults faults;
    faults.on_read = [&](const std::string& path, std::uint64_t offset, std::uint64_t count) {
      const auto covers = [&](std::uint64_t at) { return offset <= at && at < offset + count; };
      return path == file && (covers(header) || covers(body)) ? EIO : 0;
    };
    faults.start();
    open();
    EXPECT_EQ(storage_->stats().adopted_at_start, 1U);
    expect_held(large(4));
    EXPECT_EQ(get(large(2).id()).error().code, Errc::not_found);
    // What cannot be read is not thrown away, and nothing is appended to it.
    EXPECT_EQ(std::filesystem::file_size(file), size);
    ASSERT_EQ(put(large(3)).value(), Stored::created);
    EXPECT_EQ(segment_files().size(), 2U);
  }
  reopen();
  expect_held(large(1));
  expect_held(large(3));
  expect_held(large(4));
}

TEST_F(ValueLogTest, RecordsThatCannotBeMadeDurableAreNotAdopted) {
  open();
  ASSERT_TRUE(put(large(1)).has_value());
  close();
  copy_index("index", "older");
  open();
  ASSERT_TRUE(put(large(2)).has_value());
  close();
  copy_index("older", "index");
  {
    FileFaults faults;
    faults.on_sync = [&](const std::string& path) {
      return path == segment_files().front() ? EIO : 0;
    };
    faults.start();
    EXPECT_EQ(try_open().error().code, Errc::unavailable);
  }
  open();
  EXPECT_EQ(storage_->stats().adopted_at_start, 1U);
  expect_held(large(2));
}

TEST_F(ValueLogTest, UnreadableBodyIsCorrupt) {
  open();
  ASSERT_TRUE(put(large(1)).has_value());
  FileFaults faults;
  faults.on_read = [&](const std::string& path, std::uint64_t, std::uint64_t) {
    return path == segment_files().front() ? EUCLEAN : 0;
  };
  faults.start();
  EXPECT_EQ(get(large(1).id()).error().code, Errc::corrupt);
  EXPECT_EQ(put(large(1)).value(), Stored::created);
}

TEST_F(ValueLogTest, PreallocatedRoomIsGivenBackAtTheEnd) {
  open();
  ASSERT_TRUE(put(large(1)).has_value());
  EXPECT_GT(std::filesystem::file_size(segment_files().front()), 1'000'000U);
  close();
  EXPECT_EQ(std::filesystem::file_size(segment_files().front()),
            kLogPageBytes + record_extent_bytes(large(1).size_bytes()));
}

TEST_F(ValueLogTest, RecordInsideABodyIsNotTakenForOne) {
  // Somebody who sees a segment copies a whole record, header and all, into a block's body.
  open();
  ASSERT_TRUE(put(large(1)).has_value());
  close();
  std::ifstream file(segment_files().front(), std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  Bytes forged(kLogPageBytes - kRecordHeaderBytes, 'f');
  const ByteView record = as_bytes(all).subspan(kLogPageBytes);
  forged.insert(forged.end(), record.begin(), record.end());
  const Block carrier = Block::copy_of(block_id_of(forged), forged);
  open();
  ASSERT_TRUE(put(carrier).has_value());
  const auto identity = storage_->identity();
  close();
  // The carrier's own header is lost, so a walk comes past its inside.
  const auto segment = segment_files().front();
  const std::size_t at = find_in_file(segment, as_text(carrier.bytes()));
  overwrite_file(segment, at - kRecordHeaderBytes, std::string(16, 'x'));
  ValueSegments segments(directory_.path() / "values", identity.store_id);
  SegmentWalk walk(segments, 0, kLogPageBytes);
  std::size_t records = 0;
  while (walk.next().value().has_value()) ++records;
  EXPECT_EQ(records, 1U);
  EXPECT_GT(walk.garbage_pages(), 0U);
}

}  // namespace
}  // namespace cairn
