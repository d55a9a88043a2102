// kill -9 in the middle of a write storm: whatever was acknowledged is there and right.
#include <unistd.h>

#include <random>

#include "tests/storage/killed_child.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

std::size_t size_of_seed(std::uint64_t seed) {
  constexpr std::array<std::size_t, 5> kSizes{100, 700, 4096, 40'000, 150'000};
  return kSizes[seed % kSizes.size()] + seed % 64;
}

/// Puts one block after the other and says each acknowledgement on the pipe.
Task<void> storm(BlockStore& store, const Clock& clock, std::uint64_t first, std::uint64_t step,
                 int pipe) {
  for (std::uint64_t seed = first;; seed += step) {
    const Block block = make_test_block(seed, size_of_seed(seed));
    const auto stored = co_await store.put(block, clock.in(std::chrono::seconds(30)));
    // What was just stored by this storm's predecessor is held; anything else ends the child.
    if (stored.has_error()) _exit(3);
    if (::write(pipe, &seed, sizeof seed) != sizeof seed) _exit(4);
  }
}

[[noreturn]] void run_child(const StorageOptions& options, std::uint64_t first, int pipe) {
  const SystemClock clock;
  SystemRandom random;
  NullLog log;
  auto storage = Storage::open(options, clock, random, log);
  if (storage.has_error()) _exit(2);
  IoContext io{1};
  constexpr std::uint64_t kClients = 16;
  for (std::uint64_t i = 0; i < kClients; ++i) {
    boost::asio::co_spawn(io, storm(storage.value()->blocks(), clock, first + i, kClients, pipe),
                          boost::asio::detached);
  }
  io.run();
  _exit(5);
}

class CrashTest : public StorageFixture {
 protected:
  /// Lets a child store blocks from `first` on, kills it after `acknowledgements`, and returns the
  /// seeds that it acknowledged.
  std::vector<std::uint64_t> storm_and_kill(std::uint64_t first, std::size_t acknowledgements) {
    return run_and_kill(acknowledgements,
                        [this, first](int pipe) { run_child(options_, first, pipe); });
  }
};

TEST_F(CrashTest, AcknowledgedBlocksSurviveKillMinusNine) {
  constexpr int kRounds = 8;
  std::mt19937_64 numbers(4711);
  std::vector<std::uint64_t> acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    const auto first = static_cast<std::uint64_t>(round) * 1'000'000;
    const auto seeds = storm_and_kill(first, 20 + numbers() % 400);
    acknowledged.insert(acknowledged.end(), seeds.begin(), seeds.end());
    const MonoTime begin = clock_.mono();
    open();
    EXPECT_LT(clock_.mono() - begin, std::chrono::seconds(3));
    for (const std::uint64_t seed : acknowledged) {
      const Block block = make_test_block(seed, size_of_seed(seed));
      const auto found = get(block.id());
      ASSERT_TRUE(found.has_value()) << "seed " << seed << ": " << found.error().detail;
      ASSERT_TRUE(same_bytes(found.value().block, block)) << "seed " << seed;
    }
    close();
  }
  EXPECT_GE(acknowledged.size(), kRounds * 20U);
}

}  // namespace
}  // namespace cairn
