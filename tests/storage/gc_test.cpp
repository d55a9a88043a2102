// Trimming and collecting: what goes, what stays, and what happens to those who are just about to
// rely on what goes.
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "storage/block_holds.h"
#include "storage/chain_records.h"
#include "storage/open_store.h"
#include "tests/conformance/chain_world.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

using std::chrono::hours;

/// The machine's clocks, ahead by what the test wants.
class AheadClock final : public Clock {
 public:
  MonoTime mono() const override { return clock_.mono() + hours(mono_h_.load()); }
  WallTime wall() const override {
    const auto ahead = std::chrono::milliseconds(hours(wall_h_.load())).count();
    return WallTime{static_cast<std::int64_t>(clock_.wall()) + ahead};
  }
  void pass(int by_hours) {
    mono_h_ += by_hours;
    wall_h_ += by_hours;
  }
  void set_forward(int by_hours) { wall_h_ += by_hours; }

 private:
  SystemClock clock_;
  std::atomic<int> mono_h_{0};
  std::atomic<int> wall_h_{0};
};

class GcTest : public StorageFixture {
 protected:
  void open_ahead() {
    auto opened = Storage::open(options_, ahead_, random_, log_);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    storage_ = std::move(opened).value();
  }
  void reopen_ahead() {
    close();
    open_ahead();
  }
  Deadline later() const { return ahead_.in(hours(1'000'000)); }
  Result<Stored> put_ahead(const Block& block) {
    return run_task(io_, blocks().put(block, later()));
  }
  bool is_held(const Block& block) {
    const auto missing = run_task(io_, blocks().missing({block.id()}, later()));
    EXPECT_TRUE(missing.has_value());
    return missing.has_value() && missing.value().empty();
  }
  /// A whole pass, trims before it.
  void collect() {
    ASSERT_TRUE(eventually([&] { return storage_->stats().gc.trims_waiting == 0; }));
    const std::uint64_t passes = storage_->stats().gc.passes;
    ASSERT_TRUE(storage_->collect_now());
    // The pass that is under way may have begun before.
    ASSERT_TRUE(eventually([&] { return storage_->stats().gc.passes > passes; }));
    ASSERT_TRUE(eventually([&] { return !storage_->stats().gc.under_way; }));
  }
  ChainStore& chains() { return storage_->chains(); }
  void create(const ChainWorld& world) {
    ASSERT_TRUE(run_task(io_, chains().create(world.manifest(), later())).has_value());
  }
  Appended append(const ChainWorld& world, std::vector<Bytes> links) {
    return run_task(io_, chains().append(world.id(), std::move(links), later()));
  }
  std::size_t records_of(const ChainWorld& world) {
    close();
    Database::Options options;
    auto opened = open_store(directory_.path(), {"test", std::nullopt}, options, random_, log_);
    EXPECT_TRUE(opened.has_value());
    const ChainKeys keys(slot_of(world.id(), opened.value().identity.placement_seed), world.id());
    std::size_t count = 0;
    const std::unique_ptr<rocksdb::Iterator> records(opened.value().database->db().NewIterator(
        rocksdb::ReadOptions(), opened.value().database->chain()));
    for (records->Seek(keys.link(0)); records->Valid(); records->Next()) {
      count += keys.seq_of(to_view(records->key())).has_value() ? 1 : 0;
    }
    return count;
  }

  AheadClock ahead_;
};

TEST_F(GcTest, UnpinnedBlocksGoAfterTheirGraceAndNoneBefore) {
  open_ahead();
  std::vector<Block> all;
  for (const std::size_t size : {100U, 20'000U, 60'000U}) {
    all.push_back(make_test_block(size, size));
    ASSERT_EQ(put_ahead(all.back()).value(), Stored::created);
  }
  ahead_.pass(26);
  collect();
  for (const Block& block : all) EXPECT_TRUE(is_held(block)) << block.size_bytes();
  ahead_.pass(2);
  collect();
  for (const Block& block : all) {
    EXPECT_FALSE(is_held(block)) << block.size_bytes();
    EXPECT_EQ(run_task(io_, blocks().get(block.id(), later())).error().code, Errc::not_found);
    EXPECT_EQ(put_ahead(block).value(), Stored::created);
    EXPECT_TRUE(run_task(io_, blocks().get(block.id(), later())).has_value());
  }
  EXPECT_EQ(storage_->stats().gc.erased_blocks, 3U);
  EXPECT_EQ(storage_->stats().gc.erased_bytes, 80'100U);
}

TEST_F(GcTest, PutOfAHeldBlockBeginsItsGraceAnewAlsoAcrossARestart) {
  open_ahead();
  const Block block = make_test_block(1, 300);
  ASSERT_TRUE(put_ahead(block).has_value());
  for (int round = 0; round < 3; ++round) {
    ahead_.pass(26);
    EXPECT_EQ(put_ahead(block).value(), Stored::held);
    reopen_ahead();
    collect();
    ASSERT_TRUE(is_held(block)) << round;
  }
  const std::uint64_t batches = storage_->stats().write_batches;
  EXPECT_EQ(put_ahead(block).value(), Stored::held);
  EXPECT_EQ(storage_->stats().write_batches, batches) << "a fresh note was written again";
  ahead_.pass(28);
  collect();
  EXPECT_FALSE(is_held(block));
}

TEST_F(GcTest, PinnedBlocksStayUntilTheLastLinkThatPinsThemIsDropped) {
  open_ahead();
  const Block shared = make_test_block(1, 300);
  const Block lone = make_test_block(2, 300);
  ASSERT_TRUE(put_ahead(shared).has_value());
  ASSERT_TRUE(put_ahead(lone).has_value());
  ChainWorld first;
  ChainWorld second;
  create(first);
  create(second);
  ASSERT_TRUE(append(first, {first.next({}, {shared.id(), lone.id()})}).result.has_value());
  ASSERT_TRUE(append(second, {second.next({}, {shared.id()})}).result.has_value());
  ahead_.pass(100);
  collect();
  EXPECT_TRUE(is_held(shared) && is_held(lone));
  EXPECT_EQ(storage_->stats().gc.pass_pinned, 2U);
  ASSERT_TRUE(append(first, {first.checkpoint()}).result.has_value());
  collect();
  EXPECT_TRUE(is_held(shared));
  EXPECT_FALSE(is_held(lone));
  ASSERT_TRUE(append(second, {second.remove()}).result.has_value());
  collect();
  EXPECT_FALSE(is_held(shared));
}

TEST_F(GcTest, DroppedLinksLeaveTheDiskButForTheNewestRotateLink) {
  open_ahead();
  ChainWorld world;
  create(world);
  ASSERT_TRUE(append(world, world.several(200)).result.has_value());
  const Bytes rotate = world.rotate();
  ASSERT_TRUE(
      append(world, {rotate, world.next(), world.checkpoint(), world.next()}).result.has_value());
  collect();
  EXPECT_EQ(storage_->stats().gc.trimmed_links, 201U);
  const auto kept = run_task(io_, chains().links(world.id(), 201, 1, later()));
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept.value().links, std::vector<Bytes>{rotate});
  EXPECT_EQ(records_of(world), 3U);
  open_ahead();
  ASSERT_TRUE(append(world, {world.rotate()}).result.has_value());
  collect();
  EXPECT_EQ(records_of(world), 3U) << "the rotate link before is superfluous";
}

TEST_F(GcTest, WhatARestartInterruptedIsTrimmedByTheNext) {
  options_.collect = false;
  open_ahead();
  ChainWorld world;
  create(world);
  ASSERT_TRUE(append(world, world.several(250)).result.has_value());
  ASSERT_TRUE(append(world, {world.checkpoint()}).result.has_value());
  EXPECT_EQ(storage_->stats().gc.trims_waiting, 1U);
  options_.collect = true;
  reopen_ahead();
  ASSERT_TRUE(eventually([&] { return storage_->stats().gc.trims_waiting == 0; }));
  EXPECT_EQ(records_of(world), 1U);
}

TEST_F(GcTest, ClockThatIsSetForwardAgesNothingAndZeroGraceKeepsAll) {
  open_ahead();
  const Block block = make_test_block(1, 300);
  ASSERT_TRUE(put_ahead(block).has_value());
  ahead_.set_forward(1'000);
  collect();
  EXPECT_TRUE(is_held(block));
  options_.grace = hours(0);
  reopen_ahead();
  ahead_.pass(1'000);
  EXPECT_FALSE(storage_->collect_now());
  // Whoever turns it on later begins then.
  options_.grace = hours(24);
  reopen_ahead();
  collect();
  EXPECT_TRUE(is_held(block));
  ahead_.pass(28);
  collect();
  EXPECT_FALSE(is_held(block));
}

TEST(BlockHoldsTest, HoldTakenSinceTheWatchBeganKeepsTheBlock) {
  BlockHolds holds;
  const BlockId id = make_test_block(1, 10).id();
  ASSERT_TRUE(holds.watch(id));
  EXPECT_TRUE(holds.close(id));
  EXPECT_TRUE(holds.take({id}).leaving(id));
  holds.forget(id);
  EXPECT_FALSE(holds.take({id}).leaving(id));
  ASSERT_TRUE(holds.watch(id));
  { const auto passing = holds.take({id}); }
  EXPECT_FALSE(holds.close(id));
  holds.forget(id);
  const auto held = holds.take({id});
  EXPECT_FALSE(holds.watch(id));
  EXPECT_FALSE(holds.close(id));
}

/// One thread of the race: puts shared blocks, links to them, drops what it linked, and holds what
/// it sees against its own account.
class Racer {
 public:
  Racer(Storage& storage, const AheadClock& clock, const std::vector<Block>& shared, unsigned seed)
      : storage_(storage), clock_(clock), shared_(shared), random_(seed) {}

  void run(int rounds) {
    ASSERT_TRUE(run_task(io_, storage_.chains().create(world_.manifest(), later())).has_value());
    for (int round = 0; round < rounds && !::testing::Test::HasFatalFailure(); ++round) {
      std::vector<BlockId> refs;
      for (int i = 0; i < 3; ++i) put_one(refs);
      append(refs);
      check_pinned();
    }
  }
  int refused() const { return refused_; }

 private:
  Deadline later() const { return clock_.in(hours(1'000'000)); }
  std::size_t missing_of(std::vector<BlockId> ids) {
    const auto gone = run_task(io_, storage_.blocks().missing(std::move(ids), later()));
    return gone.has_value() ? gone.value().size() : 1'000;
  }

  void put_one(std::vector<BlockId>& refs) {
    const Block& block = shared_[random_() % shared_.size()];
    const MonoTime put_at = clock_.mono();
    const auto stored = run_task(io_, storage_.blocks().put(block, later()));
    ASSERT_TRUE(stored.has_value()) << stored.error().detail;
    ASSERT_TRUE(missing_of({block.id()}) == 0 || clock_.mono() - put_at > hours(23))
        << "a block is gone within its grace";
    refs.push_back(block.id());
  }

  void append(const std::vector<BlockId>& refs) {
    ChainWorld before = world_;
    const bool drops = random_() % 8 == 0;
    const Bytes link = drops ? world_.checkpoint(refs) : world_.next({}, refs);
    const Appended done = run_task(io_, storage_.chains().append(world_.id(), {link}, later()));
    if (done.result.has_error()) {
      // Time flies: a ref may have gone between its put and here; then it is named.
      ASSERT_EQ(done.result.error().code, Errc::not_found) << done.result.error().detail;
      ASSERT_FALSE(done.missing.empty());
      world_ = std::move(before);
      ++refused_;
      return;
    }
    if (drops) pinned_.clear();
    pinned_.insert(refs.begin(), refs.end());
  }

  void check_pinned() {
    ASSERT_EQ(missing_of({pinned_.begin(), pinned_.end()}), 0U) << "a pinned block is gone";
    for (const BlockId& id : pinned_) {
      ASSERT_TRUE(run_task(io_, storage_.blocks().get(id, later())).has_value());
    }
  }

  Storage& storage_;
  const AheadClock& clock_;
  const std::vector<Block>& shared_;
  std::mt19937 random_;
  IoContext io_{1};
  ChainWorld world_;
  std::set<BlockId> pinned_;
  int refused_ = 0;
};

/// While time flies and the collector runs all the time. What a link refers to is never missing
/// while the link is there, and what was put within the grace is held.
TEST_F(GcTest, RacesOfPutAppendTrimAndSweepLoseNothing) {
  open_ahead();
  constexpr unsigned kThreads = 4;
  constexpr int kRounds = 400;
  std::vector<Block> shared;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    shared.push_back(make_test_block(seed, seed % 3 == 0 ? 40'000 : 400));
  }
  std::atomic<bool> over{false};
  std::thread collecting([&] {
    for (int number = 0; !over; ++number) {
      ahead_.pass(9 + number % 20);
      storage_->collect_now();
      const std::uint64_t passes = storage_->stats().gc.passes;
      for (int i = 0; i < 2'000 && storage_->stats().gc.passes == passes && !over; ++i) {
        std::this_thread::yield();
      }
    }
  });
  std::vector<std::unique_ptr<Racer>> racers;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < kThreads; ++seed) {
    racers.push_back(std::make_unique<Racer>(*storage_, ahead_, shared, seed));
    threads.emplace_back([racer = racers.back().get()] { racer->run(kRounds); });
  }
  for (auto& thread : threads) thread.join();
  over = true;
  collecting.join();
  // However the threads were scheduled, in the end what nothing pins goes.
  const Block last = make_test_block(99, 400);
  ASSERT_TRUE(put_ahead(last).has_value());
  ahead_.pass(28);
  collect();
  EXPECT_FALSE(is_held(last));
  EXPECT_GT(storage_->stats().gc.trimmed_links, 0U);
  int refused = 0;
  for (const auto& racer : racers) refused += racer->refused();
  EXPECT_LT(refused, static_cast<int>(kThreads) * kRounds) << "every append was refused";
}

}  // namespace
}  // namespace cairn
