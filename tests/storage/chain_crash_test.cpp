// kill -9 in the middle of appends: no acknowledged link is lost, none is there twice, nothing
// forks.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <random>

#include "tests/conformance/chain_world.h"
#include "tests/storage/killed_child.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

constexpr std::size_t kChains = 8;

/// Appends one link after the other, each with a new block, and says each acknowledged seq.
Task<void> storm(Storage& storage, ChainWorld& world, std::size_t index, const Clock& clock,
                 int pipe) {
  for (std::uint64_t step = 0;; ++step) {
    const Deadline deadline = clock.in(std::chrono::seconds(30));
    const Block block = make_test_block(index * 1'000'000 + world.state().seq, 100 + step % 5'000);
    const auto stored = co_await storage.blocks().put(block, deadline);
    if (stored.has_error()) _exit(3);
    const bool trims = step % 37 == 36;
    std::vector<Bytes> links;
    links.push_back(trims ? world.checkpoint({block.id()}) : world.next({}, {block.id()}));
    if (step % 5 == 4) links.push_back(world.next());
    const Appended done = co_await storage.chains().append(world.id(), links, deadline);
    if (done.result.has_error()) _exit(4);
    const std::uint64_t said = (std::uint64_t{index} << 32) | world.state().seq;
    if (::write(pipe, &said, sizeof said) != sizeof said) _exit(6);
  }
}

class ChainCrashTest : public StorageFixture {
 protected:
  ChainCrashTest() : worlds_(kChains), acknowledged_(kChains) {}

  [[noreturn]] void run_child(int pipe) {
    open();
    IoContext io{1};
    for (std::size_t i = 0; i < kChains; ++i) {
      boost::asio::co_spawn(io, storm(*storage_, worlds_[i], i, clock_, pipe),
                            boost::asio::detached);
    }
    io.run();
    _exit(5);
  }

  /// Reads a chain whole, checks it as a client does, and stands on its head.
  void catch_up(std::size_t index) {
    ChainWorld& world = worlds_[index];
    const auto head = run_task(io_, storage_->chains().head(world.id(), soon()));
    ASSERT_TRUE(head.has_value());
    ASSERT_GE(head.value().seq, acknowledged_[index]) << "an acknowledged link is lost";
    while (world.state().seq < head.value().seq) {
      const auto page =
          run_task(io_, storage_->chains().links(world.id(), world.state().seq + 1, 256, soon()));
      ASSERT_TRUE(page.has_value()) << page.error().detail;
      ASSERT_FALSE(page.value().links.empty());
      if (page.value().first != world.state().seq + 1) {
        world.start_at(page.value().links.front());
      }
      for (const Bytes& link : page.value().links) {
        const auto view = LinkView::parse(link).value();
        if (view.fields().seq == world.state().seq) continue;
        world.stand_on(link);
        for (std::size_t i = 0; i < view.ref_count(); ++i) {
          EXPECT_TRUE(get(view.ref(i)).has_value()) << "a chain dangles";
        }
      }
    }
    EXPECT_EQ(world.state().head, head.value().link);
  }

  std::vector<ChainWorld> worlds_;
  std::vector<std::uint64_t> acknowledged_;
};

TEST_F(ChainCrashTest, AcknowledgedLinksSurviveKillMinusNine) {
  constexpr int kRounds = 8;
  std::mt19937_64 numbers(1147);
  open();
  for (const ChainWorld& world : worlds_) {
    ASSERT_TRUE(run_task(io_, storage_->chains().create(world.manifest(), soon())).has_value());
  }
  close();
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    const auto said = run_and_kill(20 + numbers() % 300, [this](int pipe) { run_child(pipe); });
    for (const std::uint64_t one : said) {
      std::uint64_t& newest = acknowledged_[one >> 32];
      newest = std::max(newest, one & 0xFFFFFFFFU);
    }
    open();
    for (std::size_t i = 0; i < kChains; ++i) catch_up(i);
    close();
  }
  EXPECT_GE(std::ranges::count_if(acknowledged_, [](auto seq) { return seq > 40; }), 4);
}

}  // namespace
}  // namespace cairn
