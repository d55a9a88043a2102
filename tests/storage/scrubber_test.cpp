#include "storage/scrubber.h"

#include "storage/open_store.h"
#include "tests/storage/faulty_env.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

/// The parts that a scrub needs, opened without a Storage so that each step is taken by hand.
class ScrubberTest : public StorageFixture {
 protected:
  void open_parts() {
    Database::Options options;
    options.env = env_.get();
    auto opened = open_store(directory_.path(), {"test", std::nullopt}, options, random_, log_);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    store_.emplace(std::move(opened).value());
    reader_.emplace(*store_->database, *store_->segments, log_);
    store_->segments->set_active(store_->log_next.segment);
    make_scrubber();
  }
  void make_scrubber() {
    scrubber_.reset();
    scrubber_.emplace(*store_->database, *reader_, *store_->segments,
                      store_->identity.placement_seed,
                      Scrubber::Options{1 << 20, std::chrono::hours(1)}, clock_, log_);
  }
  void close_parts() {
    scrubber_.reset();
    reader_.reset();
    store_.reset();
  }
  void fill(std::uint64_t count) {
    open();
    for (std::uint64_t seed = 0; seed < count; ++seed) {
      held_.push_back(make_test_block(seed, 1 + (seed * 7'919) % 60'000));
      ASSERT_TRUE(put(held_.back()).has_value());
    }
    close();
  }

  /// What was written by fill() is in files and not in memory.
  void open_cold() {
    open_parts();
    close_parts();
    open_parts();
  }

  ReadFaults faults_;
  std::unique_ptr<rocksdb::Env> env_ =
      rocksdb::NewCompositeEnv(std::make_shared<FaultyReadFileSystem>(faults_));
  std::vector<Block> held_;
  std::optional<OpenStore> store_;
  std::optional<BlockReader> reader_;
  std::optional<Scrubber> scrubber_;
};

TEST_F(ScrubberTest, PassReadsEveryBlockOnceAndThenRests) {
  fill(300);
  open_parts();
  std::uint64_t bytes = 0;
  for (const Block& block : held_) bytes += block.size_bytes();
  while (scrubber_->step() > 0) {
  }
  const ScrubProgress progress = scrubber_->progress();
  EXPECT_EQ(progress.passes, 1U);
  EXPECT_EQ(progress.pass_blocks, 300U);
  EXPECT_EQ(progress.pass_bytes, bytes);
  EXPECT_EQ(progress.pass_corrupt, 0U);
  EXPECT_FALSE(progress.under_way);
  EXPECT_EQ(scrubber_->step(), 0U);
  scrubber_->begin_now();
  EXPECT_GT(scrubber_->step(), 0U);
}

TEST_F(ScrubberTest, InterruptedPassGoesOnWhereItWas) {
  fill(700);
  open_parts();
  scrubber_->step();
  const ScrubProgress before = scrubber_->progress();
  ASSERT_TRUE(before.under_way);
  ASSERT_GT(before.pass_blocks, 0U);
  ASSERT_LT(before.pass_blocks, 700U);
  close_parts();
  open_parts();
  const ScrubProgress after = scrubber_->progress();
  EXPECT_TRUE(after.under_way);
  EXPECT_EQ(after.pass_blocks, before.pass_blocks);
  while (scrubber_->step() > 0) {
  }
  EXPECT_EQ(scrubber_->progress().pass_blocks, 700U);
  EXPECT_EQ(scrubber_->progress().passes, 1U);
}

TEST_F(ScrubberTest, RotIsCountedAndSaid) {
  fill(100);
  const auto rotten = std::ranges::find_if(
      held_, [](const Block& block) { return block.size_bytes() >= kMinLogBodyBytes; });
  ASSERT_NE(rotten, held_.end());
  for (const auto& file : segment_files()) {
    const std::size_t at = find_in_file(file, as_text(rotten->bytes()));
    if (at != std::string::npos) overwrite_file(file, at + 1'000, "rotten");
  }
  open_parts();
  while (scrubber_->step() > 0) {
  }
  EXPECT_EQ(scrubber_->progress().pass_corrupt, 1U);
  EXPECT_EQ(log_.count("block_corrupt"), 1U);
}

TEST_F(ScrubberTest, UnreadableIndexIsNotTheEndOfIt) {
  fill(300);
  open_cold();
  faults_.tables = ReadFault::io_error;
  EXPECT_EQ(scrubber_->step(), 0U);
  EXPECT_EQ(scrubber_->progress().pass_corrupt, 1U);
  EXPECT_EQ(log_.count("scrub_unreadable"), 1U);
  EXPECT_TRUE(scrubber_->progress().under_way);
  EXPECT_EQ(scrubber_->progress().passes, 0U);
  faults_.tables = ReadFault::none;
  while (scrubber_->step() > 0) {
  }
  EXPECT_EQ(scrubber_->progress().pass_blocks, 300U);
  EXPECT_EQ(scrubber_->progress().passes, 1U);
}

TEST_F(ScrubberTest, UnreadableBodiesAreCountedAndThePassGoesOn) {
  fill(100);
  const auto in_blobs = std::ranges::count_if(
      held_, [](const Block& block) { return place_for(block.size_bytes()) == Place::blob; });
  ASSERT_GT(in_blobs, 0);
  open_cold();
  faults_.blobs = ReadFault::io_error;
  while (scrubber_->step() > 0) {
  }
  EXPECT_EQ(scrubber_->progress().pass_blocks, 100U);
  EXPECT_EQ(scrubber_->progress().pass_corrupt, static_cast<std::uint64_t>(in_blobs));
  EXPECT_EQ(scrubber_->progress().passes, 1U);
}

TEST_F(ScrubberTest, RecordsThatNothingPointsToAreGivenBack) {
  fill(200);
  ASSERT_GE(segment_files().size(), 3U);
  open_parts();
  // A crash between an erase and the giving back leaves the record without an entry.
  rocksdb::WriteBatch batch;
  std::uint64_t in_first = 0;
  SegmentWalk walk(*store_->segments, 0, kLogPageBytes);
  while (const auto record = walk.next().value()) {
    const IndexKey key(slot_of(record->id, store_->identity.placement_seed), record->id);
    batch.Delete(store_->database->index(), to_slice(key.view()));
    ++in_first;
  }
  ASSERT_GT(in_first, 0U);
  ASSERT_TRUE(store_->database->write(batch, true).has_value());
  while (scrubber_->step() > 0) {
  }
  EXPECT_EQ(scrubber_->progress().orphans, in_first);
  EXPECT_EQ(scrubber_->progress().pass_corrupt, 0U);
  EXPECT_FALSE(std::filesystem::exists(store_->segments->path_of(0)));
  EXPECT_TRUE(std::filesystem::exists(store_->segments->path_of(1)));
}

TEST_F(ScrubberTest, ThreadScrubsByItselfAndStops) {
  fill(50);
  options_.scrub_bytes_per_second = 100 << 20;
  open();
  EXPECT_TRUE(eventually([this] { return storage_->stats().scrub.passes == 1; }));
  // Each falls anywhere in the thread's way from a step to its rest, which is longer than this
  // waits.
  for (std::uint64_t pass = 2; pass < 50; ++pass) {
    storage_->scrub_now();
    ASSERT_TRUE(eventually([&] { return storage_->stats().scrub.passes == pass; }));
  }
  EXPECT_EQ(storage_->stats().scrub.pass_blocks, 50U);
  close();
}

}  // namespace
}  // namespace cairn
