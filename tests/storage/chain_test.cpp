// What of chains shows in storage alone: records, locks, followers, and writes that outlive
// callers.
#include <atomic>
#include <thread>

#include "storage/chain_followers.h"
#include "storage/chain_locks.h"
#include "storage/chain_records.h"
#include "tests/conformance/chain_world.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

TEST(ChainRecords, StateIsReadBackAndNothingElseIs) {
  ChainWorld world(Reads::gated);
  for (int i = 0; i < 3; ++i) world.next();
  world.rotate();
  world.checkpoint();
  const std::string raw = encode_chain_state(world.state());
  EXPECT_EQ(decode_chain_state(raw, world.id()), world.state());
  for (std::size_t size = 0; size < raw.size(); ++size) {
    EXPECT_FALSE(decode_chain_state(raw.substr(0, size), world.id()).has_value()) << size;
  }
  EXPECT_FALSE(decode_chain_state(raw + '\0', world.id()).has_value());
  std::string newer = raw;
  newer[0] = 2;
  EXPECT_FALSE(decode_chain_state(newer, world.id()).has_value());
}

TEST(ChainRecords, KeysOfLinksSortBySeq) {
  const ChainKeys keys(Slot{7}, ChainWorld().id());
  EXPECT_LT(keys.link(1), keys.link(2));
  EXPECT_LT(keys.link(255), keys.link(256));
  EXPECT_LT(keys.link(0xFFFFFFFF), keys.link(0x100000000));
  EXPECT_EQ(keys.seq_of(keys.link(0x123456789)), 0x123456789U);
  EXPECT_FALSE(keys.seq_of(keys.state()).has_value());
  EXPECT_FALSE(keys.seq_of(ChainKeys(Slot{8}, ChainWorld().id()).link(1)).has_value());
}

/// Takes the lock, notes its turn and gives it up.
Task<Result<void>> take_turn(ChainLocks& locks, ChainId chain, int number, std::vector<int>& turns,
                             Deadline deadline) {
  auto guard = co_await locks.lock(chain, deadline);
  if (guard.has_error()) co_return guard.error();
  turns.push_back(number);
  co_return ok();
}

TEST(ChainLocks, WaitersGetTheirTurnInOrderAndNeverBeyondTheLimit) {
  ChainLocks locks;
  const ChainId chain = ChainWorld().id();
  const SystemClock clock;
  IoContext io{1};
  std::vector<int> turns;
  std::vector<Task<Result<void>>> tasks;
  constexpr int kTasks = static_cast<int>(ChainLocks::kMaxWaiting) + 3;
  for (int i = 0; i < kTasks; ++i) {
    tasks.push_back(take_turn(locks, chain, i, turns, clock.in(std::chrono::seconds(60))));
  }
  const auto results = run_tasks(io, std::move(tasks));
  EXPECT_TRUE(std::ranges::is_sorted(turns));
  EXPECT_EQ(turns.size(), ChainLocks::kMaxWaiting + 1);
  EXPECT_EQ(results.back().error().code, Errc::overloaded);
}

Task<Result<void>> hold_until_expired(ChainLocks& locks, ChainId chain, const Clock& clock) {
  auto guard = co_await locks.lock(chain, clock.in(std::chrono::seconds(60)));
  locks.expire(clock.mono() + std::chrono::hours(1));
  co_return ok();
}

TEST(ChainLocks, WaiterWhoseDeadlinePassesIsAnswered) {
  ChainLocks locks;
  const ChainId chain = ChainWorld().id();
  const SystemClock clock;
  IoContext io{1};
  std::vector<int> turns;
  std::vector<Task<Result<void>>> tasks;
  tasks.push_back(hold_until_expired(locks, chain, clock));
  tasks.push_back(take_turn(locks, chain, 1, turns, clock.in(std::chrono::seconds(60))));
  const auto results = run_tasks(io, std::move(tasks));
  EXPECT_TRUE(results[0].has_value());
  EXPECT_EQ(results[1].error().code, Errc::unavailable);
  EXPECT_TRUE(turns.empty());
}

class ChainStorageTest : public StorageFixture {};

TEST_F(ChainStorageTest, ChainStaysLockedWhileAnOverdueWriteIsUnderWay) {
  // The first sync of the value log hangs, and with it the one writer; the append behind it is
  // overdue at once. Another link at its seq must wait for it, whatever became of its caller.
  std::atomic<bool> hang{false};
  options_.world.sync_file = [&hang](int descriptor) {
    while (hang.load()) std::this_thread::yield();
    return ::fdatasync(descriptor);
  };
  open();
  ChainWorld world;
  ASSERT_TRUE(run_task(io_, storage_->chains().create(world.manifest(), soon())).has_value());
  const Bytes other = world.beside();
  const Bytes first = world.next();
  hang = true;
  std::thread large([this] {
    IoContext io{1};
    EXPECT_TRUE(run_task(io, blocks().put(make_test_block(1, 100'000), soon())).has_value());
  });
  ASSERT_TRUE(eventually([&] { return storage_->stats().waiting_writes > 0; }));
  const Appended overdue = run_task(
      io_, storage_->chains().append(world.id(), {first}, clock_.in(std::chrono::milliseconds(1))));
  EXPECT_EQ(overdue.result.error().code, Errc::unavailable);
  std::thread release([&] {
    std::this_thread::yield();
    hang = false;
  });
  const Appended second = run_task(io_, storage_->chains().append(world.id(), {other}, soon()));
  release.join();
  large.join();
  const auto page = run_task(io_, storage_->chains().links(world.id(), 1, 9, soon()));
  ASSERT_EQ(page.value().links.size(), 1U);
  EXPECT_EQ(page.value().links[0], second.result.has_value() ? other : first);
}

TEST_F(ChainStorageTest, FullDiskRefusesLinksButTakesCheckpointsAndDeletes) {
  std::atomic<bool> full{false};
  options_.reserve = DiskReserve{1 << 20, 0.0};
  options_.world.disk_space = [&full](const std::filesystem::path&) -> Result<DiskSpace> {
    return DiskSpace{full ? 0U : std::uint64_t{1} << 40, std::uint64_t{1} << 41};
  };
  open();
  ChainWorld world;
  const auto append = [&](const Bytes& link) {
    return run_task(io_, storage_->chains().append(world.id(), {link}, soon())).result;
  };
  ASSERT_TRUE(run_task(io_, storage_->chains().create(world.manifest(), soon())).has_value());
  ASSERT_TRUE(append(world.next()).has_value());
  full = true;
  ASSERT_TRUE(eventually([&] { return storage_->stats().full; }));
  EXPECT_EQ(append(world.beside()).error().code, Errc::full);
  EXPECT_TRUE(append(world.checkpoint()).has_value());
  EXPECT_TRUE(append(world.remove()).has_value());
}

}  // namespace
}  // namespace cairn
