#include "storage/fsck.h"

#include "storage/index_key.h"
#include "storage/open_store.h"
#include "tests/storage/file_faults.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

class FsckTest : public StorageFixture {
 protected:
  void SetUp() override {
    open();
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      held_.push_back(make_test_block(seed, sizes_[seed % sizes_.size()] + seed));
      ASSERT_TRUE(put(held_.back()).has_value());
    }
    close();
  }

  Result<FsckReport> check(bool repair = false) {
    FsckOptions options;
    options.directory = directory_.path();
    options.repair = repair;
    return fsck(options, clock_, random_, log_);
  }

  /// Changes the database behind the store's back.
  template <class Change>
  void tamper(Change change) {
    auto opened =
        open_store(directory_.path(), {"test", std::nullopt}, Database::Options(), random_, log_);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    rocksdb::WriteBatch batch;
    change(opened.value(), batch);
    ASSERT_TRUE(opened.value().database->write(batch, true).has_value());
  }

  static IndexKey key_in(const OpenStore& store, const Block& block) {
    return IndexKey(slot_of(block.id(), store.identity.placement_seed), block.id());
  }

  static constexpr std::array<std::size_t, 3> sizes_{100, 4'000, 50'000};
  /// Every read of a file with this ending fails.
  static void fail_reads(FileFaults& faults, std::string_view ending) {
    faults.on_read = [ending](const std::string& path, std::uint64_t, std::uint64_t) {
      return path.ends_with(ending) ? EIO : 0;
    };
    faults.start();
  }

  std::vector<Block> held_;
};

TEST_F(FsckTest, SoundStoreIsCleanAndCounted) {
  const auto report = check();
  ASSERT_TRUE(report.has_value()) << report.error().detail;
  EXPECT_TRUE(report.value().clean());
  EXPECT_EQ(report.value().blocks, 60U);
  EXPECT_EQ(report.value().in_index, 20U);
  EXPECT_EQ(report.value().in_blobs, 20U);
  EXPECT_EQ(report.value().in_log, 20U);
  std::uint64_t bytes = 0;
  for (const Block& block : held_) bytes += block.size_bytes();
  EXPECT_EQ(report.value().bytes, bytes);
  EXPECT_EQ(report.value().orphan_records, 0U);
  EXPECT_EQ(report.value().identity.node_name, "test");
}

TEST_F(FsckTest, OpenStoreAndAbsentStoreAreErrors) {
  open();
  EXPECT_EQ(check().error().code, Errc::conflict);
  close();
  FsckOptions options;
  options.directory = directory_.path() / "nothing-here";
  EXPECT_EQ(fsck(options, clock_, random_, log_).error().code, Errc::not_found);
  options.repair = true;
  EXPECT_EQ(fsck(options, clock_, random_, log_).error().code, Errc::not_found);
}

TEST_F(FsckTest, SpoiledBodyIsNamedThenSetAsideThenStorableAgain) {
  const Block spoiled = held_[2];
  for (const auto& file : segment_files()) {
    const std::size_t at = find_in_file(file, as_text(spoiled.bytes()));
    if (at != std::string::npos) overwrite_file(file, at, "spoiled!");
  }
  auto report = check();
  ASSERT_TRUE(report.has_value());
  EXPECT_FALSE(report.value().clean());
  ASSERT_EQ(report.value().problems.size(), 1U);
  EXPECT_EQ(report.value().problems[0].fault, FsckFault::bad_body);
  EXPECT_EQ(report.value().problems[0].block, spoiled.id().text());
  EXPECT_FALSE(report.value().problems[0].repaired);
  report = check(true);
  EXPECT_TRUE(report.value().clean());
  EXPECT_EQ(report.value().repaired, 1U);
  EXPECT_EQ(report.value().quarantined, 1U);
  EXPECT_EQ(check().value().faults, 0U);
  EXPECT_FALSE(std::filesystem::is_empty(directory_.path() / "quarantine"));
  open();
  EXPECT_EQ(get(spoiled.id()).error().code, Errc::not_found);
  EXPECT_EQ(put(spoiled).value(), Stored::created);
  for (const Block& block : held_) expect_held(block);
}

TEST_F(FsckTest, EachFaultOfTheDatabaseIsFoundAndRepaired) {
  tamper([this](OpenStore& store, rocksdb::WriteBatch& batch) {
    Database& db = *store.database;
    // A body that is gone, an entry that is gone, an entry that cannot be read.
    batch.Delete(db.body(), to_slice(key_in(store, held_[1]).view()));
    batch.Delete(db.index(), to_slice(key_in(store, held_[4]).view()));
    batch.Put(db.index(), to_slice(key_in(store, held_[0]).view()), "garbage");
    // A block under another slot, a key that is none, a wrong body that nothing speaks for.
    const Block block = make_test_block(900, 50);
    const auto slot = static_cast<std::uint16_t>(key_in(store, block).slot());
    const IndexKey wrong(static_cast<Slot>((slot + 1) % kSlotCount), block.id());
    IndexEntry entry;
    entry.size_bytes = 50;
    entry.body = as_text(block.bytes());
    std::string value;
    entry.encode(value);
    batch.Put(db.index(), to_slice(wrong.view()), value);
    batch.Put(db.index(), "short", value);
    batch.Put(db.body(), to_slice(key_in(store, make_test_block(901, 50)).view()), "not it");
  });
  const std::vector<FsckFault> expected{FsckFault::bad_body,  FsckFault::unindexed_body,
                                        FsckFault::bad_entry, FsckFault::wrong_slot,
                                        FsckFault::bad_key,   FsckFault::stray_body};
  auto report = check();
  ASSERT_TRUE(report.has_value()) << report.error().detail;
  EXPECT_EQ(report.value().faults, expected.size());
  for (const FsckFault fault : expected) {
    EXPECT_EQ(std::ranges::count(report.value().problems, fault, &FsckProblem::fault), 1)
        << name_of(fault);
  }
  report = check(true);
  EXPECT_TRUE(report.value().clean());
  EXPECT_EQ(check().value().faults, 0U);
  open();
  // The right body without an entry was indexed again; the others are missing now.
  expect_held(held_[4]);
  EXPECT_EQ(get(held_[1].id()).error().code, Errc::not_found);
  EXPECT_EQ(get(held_[0].id()).error().code, Errc::not_found);
  for (std::size_t i = 5; i < held_.size(); ++i) expect_held(held_[i]);
}

TEST_F(FsckTest, RightBodyWhoseEntryIsDamagedIsIndexedAgain) {
  tamper([this](OpenStore& store, rocksdb::WriteBatch& batch) {
    for (const std::size_t i : {0U, 1U, 2U}) {
      batch.Put(store.database->index(), to_slice(key_in(store, held_[i]).view()), "garbage");
    }
  });
  auto report = check();
  EXPECT_EQ(report.value().faults, 5U);
  EXPECT_EQ(report.value().orphan_records, 0U);
  report = check(true);
  ASSERT_TRUE(report.has_value()) << report.error().detail;
  EXPECT_TRUE(report.value().clean());
  EXPECT_EQ(report.value().faults, 5U);
  EXPECT_EQ(report.value().quarantined, 1U);
  EXPECT_EQ(check().value().faults, 0U);
  open();
  EXPECT_EQ(get(held_[0].id()).error().code, Errc::not_found);
  expect_held(held_[1]);
  expect_held(held_[2]);
}

TEST_F(FsckTest, UnreadableSectorIsABadBodyAndTheRestIsLookedAt) {
  const auto file = segment_files().front();
  const std::size_t at = find_in_file(file, as_text(held_[2].bytes())) + 20'000;
  const auto fail_there = [&](FileFaults& faults) {
    faults.on_read = [&](const std::string& path, std::uint64_t offset, std::uint64_t count) {
      return path == file && offset <= at && at < offset + count ? EIO : 0;
    };
    faults.start();
  };
  {
    FileFaults faults;
    fail_there(faults);
    auto report = check();
    ASSERT_TRUE(report.has_value()) << report.error().detail;
    EXPECT_EQ(report.value().blocks, 60U);
    ASSERT_EQ(report.value().faults, 1U);
    EXPECT_EQ(report.value().problems[0].fault, FsckFault::bad_body);
    EXPECT_EQ(report.value().problems[0].block, held_[2].id().text());
    report = check(true);
    ASSERT_TRUE(report.has_value()) << report.error().detail;
    EXPECT_TRUE(report.value().clean());
    EXPECT_EQ(report.value().quarantined, 0U);
  }
  EXPECT_EQ(check().value().faults, 0U);
  open();
  EXPECT_EQ(put(held_[2]).value(), Stored::created);
}

TEST_F(FsckTest, UnreadableSegmentsAreReportedBodyByBody) {
  FileFaults faults;
  fail_reads(faults, ".values");
  const auto report = check();
  ASSERT_TRUE(report.has_value()) << report.error().detail;
  EXPECT_EQ(std::ranges::count(report.value().problems, FsckFault::bad_body, &FsckProblem::fault),
            20);
  EXPECT_GT(report.value().garbage_pages, 0U);
}

TEST_F(FsckTest, UnreadableBlobsAreReportedAndSayThatBodiesWereLeftOut) {
  open();  // Moves the bodies from the log of RocksDB to a blob file.
  close();
  FileFaults faults;
  fail_reads(faults, ".blob");
  const auto report = check();
  ASSERT_TRUE(report.has_value()) << report.error().detail;
  EXPECT_EQ(std::ranges::count(report.value().problems, FsckFault::bad_body, &FsckProblem::fault),
            20);
  EXPECT_EQ(std::ranges::count(report.value().problems, FsckFault::unreadable, &FsckProblem::fault),
            1);
}

TEST_F(FsckTest, UnreadableIndexIsAnError) {
  open();  // Moves the entries from the log of RocksDB to a table file.
  close();
  std::uint64_t tables = 0;
  FileFaults faults;
  // The first reads of each table are its footer and its metadata.
  faults.on_read = [&](const std::string& path, std::uint64_t offset, std::uint64_t) {
    return path.ends_with(".sst") && offset == 0 && ++tables > 0 ? EIO : 0;
  };
  faults.start();
  EXPECT_TRUE(check().has_error());
  EXPECT_GT(tables, 0U);
}

TEST_F(FsckTest, SegmentHeaderIsCheckedAndWrittenAnew) {
  const auto file = segment_files().front();
  overwrite_file(file, 20, "damaged");
  auto report = check();
  ASSERT_TRUE(report.has_value()) << report.error().detail;
  ASSERT_EQ(report.value().faults, 1U);
  EXPECT_EQ(report.value().problems[0].fault, FsckFault::bad_segment);
  EXPECT_EQ(report.value().problems[0].block, "00000000.values");
  EXPECT_TRUE(check(true).value().clean());
  EXPECT_EQ(check().value().faults, 0U);
}

TEST_F(FsckTest, SegmentOfANewerFormatIsRefused) {
  const auto identity = read_identity(directory_.path());
  overwrite_file(segment_files().front(), 0, newer_segment_header(0, identity.value().store_id));
  EXPECT_EQ(check().error().code, Errc::denied);
  EXPECT_EQ(check(true).error().code, Errc::denied);
}

TEST_F(FsckTest, CheckWithoutRepairChangesNothing) {
  tamper([this](OpenStore& store, rocksdb::WriteBatch& batch) {
    batch.Delete(store.database->body(), to_slice(key_in(store, held_[1]).view()));
  });
  EXPECT_EQ(check().value().faults, 1U);
  EXPECT_EQ(check().value().faults, 1U);
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "quarantine"));
}

TEST_F(FsckTest, RecordWithoutEntryIsAnOrphanNotDamage) {
  tamper([this](OpenStore& store, rocksdb::WriteBatch& batch) {
    batch.Delete(store.database->index(), to_slice(key_in(store, held_[2]).view()));
  });
  const auto report = check();
  EXPECT_TRUE(report.value().clean());
  EXPECT_EQ(report.value().orphan_records, 1U);
  EXPECT_EQ(report.value().orphan_bytes, record_extent_bytes(held_[2].size_bytes()));
}

TEST_F(FsckTest, ProgressIsToldAndCanStop) {
  FsckOptions options;
  options.directory = directory_.path();
  int calls = 0;
  options.on_progress = [&calls](const FsckProgress& progress) {
    ++calls;
    EXPECT_EQ(progress.phase, FsckPhase::entries);
    return false;
  };
  const auto report = fsck(options, clock_, random_, log_);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(report.value().interrupted);
  EXPECT_FALSE(report.value().clean());
}

TEST_F(FsckTest, UnreadableBodiesAreFaultsAndDoNotEndTheCheck) {
  tamper([](OpenStore& store, rocksdb::WriteBatch&) {
    ASSERT_TRUE(store.database->flush().has_value());
  });
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path() / "index")) {
    if (entry.path().extension() == ".blob") std::filesystem::resize_file(entry.path(), 40);
  }
  const auto report = check();
  ASSERT_TRUE(report.has_value()) << report.error().detail;
  EXPECT_FALSE(report.value().clean());
  EXPECT_EQ(report.value().blocks, 60U);
  // Each of the bodies, and that the table of bodies could not be read to its end.
  EXPECT_EQ(report.value().faults, 21U);
  EXPECT_EQ(report.value().problems.back().block, "bodies");
}

}  // namespace
}  // namespace cairn
