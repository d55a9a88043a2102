// kill -9 in the middle of a write storm: whatever was acknowledged is there and right.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

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
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      run_child(options_, first, ends[1]);
    }
    ::close(ends[1]);
    std::vector<std::uint64_t> seeds;
    std::uint64_t seed = 0;
    bool killed = false;
    // After the kill the pipe still holds what was acknowledged before it.
    while (::read(ends[0], &seed, sizeof seed) == sizeof seed) {
      seeds.push_back(seed);
      if (!killed && seeds.size() >= acknowledgements) {
        ::kill(child, SIGKILL);
        killed = true;
      }
    }
    ::close(ends[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    return seeds;
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
