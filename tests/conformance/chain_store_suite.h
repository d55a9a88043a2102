// What every ChainStore must do, as one typed suite. An implementation's test file defines a
// Harness
//     struct Harness { ChainStore& chains(); BlockStore& blocks(); };
// that is made anew (with empty stores) for each test, includes this header and says
//     INSTANTIATE_TYPED_TEST_SUITE_P(Name, ChainStoreSuite, Harness);
// With `void reopen()` the stores are closed and opened again, and must hold what they
// acknowledged.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "base/chain_store.h"
#include "tests/conformance/block_store_suite.h"
#include "tests/conformance/chain_world.h"
#include "tests/fakes/run_task.h"

namespace cairn {

template <class Harness>
class ChainStoreSuite : public ::testing::Test {
 protected:
  static constexpr bool kReopens = requires(Harness h) { h.reopen(); };

  ChainStore& chains() { return harness_.chains(); }
  Deadline soon() const { return clock_.in(std::chrono::seconds(60)); }

  Result<Stored> create(const ChainWorld& world) {
    return run_task(io_, chains().create(world.manifest(), soon()));
  }
  Result<ChainHead> head(const ChainWorld& world) {
    return run_task(io_, chains().head(world.id(), soon()));
  }
  Appended append(const ChainWorld& world, std::vector<Bytes> links) {
    return run_task(io_, chains().append(world.id(), std::move(links), soon()));
  }
  Result<LinkPage> links(const ChainWorld& world, std::uint64_t from, std::size_t limit = 256) {
    return run_task(io_, chains().links(world.id(), from, limit, soon()));
  }
  void must_append(const ChainWorld& world, std::vector<Bytes> links) {
    const Appended done = append(world, std::move(links));
    ASSERT_TRUE(done.result.has_value()) << done.result.error().detail;
    EXPECT_EQ(done.result.value(), Stored::created);
    expect_head(world, done.head);
  }
  BlockId put_block(std::uint64_t seed) {
    const Block block = make_test_block(seed, 100);
    EXPECT_TRUE(run_task(io_, harness_.blocks().put(block, soon())).has_value());
    return block.id();
  }
  static void expect_head(const ChainWorld& world, const ChainHead& head) {
    EXPECT_EQ(head.chain, world.id());
    EXPECT_EQ(head.seq, world.state().seq);
    EXPECT_EQ(head.link, world.state().head);
    EXPECT_EQ(head.first_kept, world.state().first_kept);
    EXPECT_EQ(head.rotated_at, world.state().rotated_at);
    EXPECT_EQ(head.removed, world.state().removed);
  }
  void maybe_reopen() {
    if constexpr (kReopens) harness_.reopen();
  }

  SystemClock clock_;
  IoContext io_{1};
  Harness harness_;
};

TYPED_TEST_SUITE_P(ChainStoreSuite);

TYPED_TEST_P(ChainStoreSuite, CreatedChainIsFoundAndUnknownIsNot) {
  const ChainWorld world;
  const ChainWorld other(Reads::gated);
  EXPECT_EQ(this->head(world).error().code, Errc::not_found);
  EXPECT_EQ(this->links(world, 1).error().code, Errc::not_found);
  EXPECT_EQ(this->create(world).value(), Stored::created);
  EXPECT_EQ(this->create(world).value(), Stored::held);
  EXPECT_EQ(this->create(other).value(), Stored::created);
  this->maybe_reopen();
  this->expect_head(world, this->head(world).value());
  EXPECT_FALSE(this->head(world).value().fetch_token_hash.has_value());
  EXPECT_EQ(this->head(other).value().fetch_token_hash, sha256_of(other.fetch_token().view()));
  EXPECT_EQ(run_task(this->io_, this->chains().manifest(world.id(), this->soon())).value(),
            world.manifest());
  EXPECT_TRUE(this->links(world, 1).value().links.empty());
  EXPECT_EQ(this->links(world, 1).value().first, 1U);
}

TYPED_TEST_P(ChainStoreSuite, NoManifestIsMalformed) {
  const auto made = run_task(this->io_, this->chains().create(Bytes(200, 7), this->soon()));
  EXPECT_EQ(made.error().code, Errc::malformed);
}

TYPED_TEST_P(ChainStoreSuite, AppendedLinksAreReadBackInPages) {
  ChainWorld world;
  ASSERT_TRUE(this->create(world).has_value());
  std::vector<Bytes> all;
  for (const std::size_t count : {1U, 2U, 256U, 7U}) {
    const auto added = world.several(count);
    all.insert(all.end(), added.begin(), added.end());
    this->must_append(world, added);
  }
  this->maybe_reopen();
  std::vector<Bytes> read;
  while (read.size() < all.size()) {
    const auto page = this->links(world, read.size() + 1, 100);
    ASSERT_TRUE(page.has_value());
    ASSERT_FALSE(page.value().links.empty());
    EXPECT_EQ(page.value().first, read.size() + 1);
    EXPECT_LE(page.value().links.size(), 100U);
    read.insert(read.end(), page.value().links.begin(), page.value().links.end());
  }
  EXPECT_EQ(read, all);
  EXPECT_TRUE(this->links(world, all.size() + 1).value().links.empty());
  EXPECT_EQ(this->links(world, 0).value().first, 1U);
}

TYPED_TEST_P(ChainStoreSuite, SameAppendAgainSucceedsAndWritesNothing) {
  ChainWorld world;
  ASSERT_TRUE(this->create(world).has_value());
  const auto links = world.several(3);
  this->must_append(world, links);
  const Appended again = this->append(world, links);
  EXPECT_EQ(again.result.value(), Stored::held);
  this->expect_head(world, again.head);
  EXPECT_EQ(this->append(world, {links[1]}).result.value(), Stored::held);
  std::vector<Bytes> overlapping{links[2]};
  overlapping.push_back(world.next());
  this->must_append(world, overlapping);
  EXPECT_EQ(this->links(world, 1).value().links.size(), 4U);
}

TYPED_TEST_P(ChainStoreSuite, OtherLinkAtATakenSeqIsAConflictWithTheHead) {
  ChainWorld world;
  ASSERT_TRUE(this->create(world).has_value());
  const Bytes loser = world.beside();
  this->must_append(world, {world.next()});
  const Appended refused = this->append(world, {loser});
  EXPECT_EQ(refused.result.error().code, Errc::conflict);
  this->expect_head(world, refused.head);
  EXPECT_EQ(this->links(world, 1).value().links.size(), 1U);
}

TYPED_TEST_P(ChainStoreSuite, BrokenAppendsChangeNothing) {
  ChainWorld world;
  ASSERT_TRUE(this->create(world).has_value());
  EXPECT_EQ(this->append(world, {}).result.error().code, Errc::malformed);
  EXPECT_EQ(this->append(world, {Bytes(300)}).result.error().code, Errc::malformed);
  const auto links = world.several(3);
  EXPECT_EQ(this->append(world, {links[0], links[2]}).result.error().code, Errc::malformed);
  EXPECT_EQ(this->append(world, {links[1]}).result.error().code, Errc::malformed);
  Bytes forged = links[1];
  forged.back() ^= 1U;
  EXPECT_EQ(this->append(world, {links[0], forged}).result.error().code, Errc::denied);
  const ChainWorld unknown;
  EXPECT_EQ(this->append(unknown, {links[0]}).result.error().code, Errc::not_found);
  EXPECT_EQ(this->head(world).value().seq, 0U);
  this->must_append(world, links);
}

TYPED_TEST_P(ChainStoreSuite, RefsThatAreNotHeldRefuseTheWholeAppend) {
  ChainWorld world;
  ASSERT_TRUE(this->create(world).has_value());
  const BlockId held = this->put_block(1);
  const BlockId absent = make_test_block(2, 100).id();
  ChainWorld copy = world;
  const Appended refused = this->append(copy, {copy.next({}, {held}), copy.next({}, {absent})});
  EXPECT_EQ(refused.result.error().code, Errc::not_found);
  EXPECT_EQ(refused.missing, std::vector<BlockId>{absent});
  EXPECT_EQ(this->head(world).value().seq, 0U);
  EXPECT_EQ(this->put_block(2), absent);
  this->must_append(world, {world.next({}, {held}), world.next({}, {absent, held})});
}

TYPED_TEST_P(ChainStoreSuite, CheckpointDropsWhatIsBeforeItButTheNewestRotateLink) {
  ChainWorld world;
  ASSERT_TRUE(this->create(world).has_value());
  this->must_append(world, {world.next()});
  const Bytes rotate = world.rotate();
  this->must_append(world, {rotate});
  this->must_append(world, world.several(2));
  const Bytes checkpoint = world.checkpoint();
  this->must_append(world, {checkpoint});
  this->maybe_reopen();
  this->must_append(world, world.several(1));
  const auto page = this->links(world, 1);
  EXPECT_EQ(page.value().first, 5U);
  EXPECT_EQ(page.value().links.size(), 2U);
  EXPECT_EQ(page.value().links.front(), checkpoint);
  const auto newest_rotate = this->links(world, 2);
  EXPECT_EQ(newest_rotate.value().first, 2U);
  EXPECT_EQ(newest_rotate.value().links, std::vector<Bytes>{rotate});
}

TYPED_TEST_P(ChainStoreSuite, DeletedChainTakesNothingAnyMore) {
  ChainWorld world;
  ASSERT_TRUE(this->create(world).has_value());
  this->must_append(world, world.several(2));
  const Bytes last = world.remove();
  this->must_append(world, {last});
  this->maybe_reopen();
  EXPECT_TRUE(this->head(world).value().removed);
  EXPECT_EQ(this->create(world).error().code, Errc::conflict);
  EXPECT_EQ(this->links(world, 1).value().links, std::vector<Bytes>{last});
  EXPECT_EQ(this->append(world, {last}).result.value(), Stored::held);
  EXPECT_EQ(this->append(world, {world.beside()}).result.error().code, Errc::malformed);
}

TYPED_TEST_P(ChainStoreSuite, RaceAtOneSeqHasOneWinner) {
  constexpr std::size_t kRacers = 16;
  ChainWorld world;
  ASSERT_TRUE(this->create(world).has_value());
  for (int round = 0; round < 5; ++round) {
    std::vector<Task<Appended>> racers;
    std::vector<Bytes> links;
    for (std::size_t i = 0; i < kRacers; ++i) links.push_back(world.beside());
    for (const Bytes& link : links) {
      racers.push_back(this->chains().append(world.id(), {link}, this->soon()));
    }
    const auto done = run_tasks(this->io_, std::move(racers));
    std::size_t winner = kRacers;
    for (std::size_t i = 0; i < kRacers; ++i) {
      if (done[i].result.has_value()) {
        EXPECT_EQ(winner, kRacers) << "two winners";
        winner = i;
      } else {
        EXPECT_EQ(done[i].result.error().code, Errc::conflict);
        EXPECT_EQ(done[i].head.seq, world.state().seq + 1);
      }
    }
    ASSERT_LT(winner, kRacers);
    world.stand_on(links[winner]);
  }
  this->expect_head(world, this->head(world).value());
}

TYPED_TEST_P(ChainStoreSuite, ChainsDoNotDisturbEachOther) {
  std::vector<ChainWorld> worlds(20);
  std::vector<Task<Appended>> appends;
  for (ChainWorld& world : worlds) ASSERT_TRUE(this->create(world).has_value());
  for (ChainWorld& world : worlds) {
    appends.push_back(this->chains().append(world.id(), world.several(5), this->soon()));
  }
  for (const Appended& done : run_tasks(this->io_, std::move(appends))) {
    EXPECT_TRUE(done.result.has_value());
  }
  this->maybe_reopen();
  for (const ChainWorld& world : worlds) this->expect_head(world, this->head(world).value());
}

TYPED_TEST_P(ChainStoreSuite, WaitEndsWithNewsOrAtTheDeadline) {
  ChainWorld world;
  ASSERT_TRUE(this->create(world).has_value());
  const auto at_once =
      run_task(this->io_, this->chains().wait_beyond(world.id(), 0, this->clock_.in({})));
  EXPECT_EQ(at_once.value().seq, 0U);
  std::vector<Task<Result<ChainHead>>> followers;
  for (int i = 0; i < 50; ++i) {
    followers.push_back(this->chains().wait_beyond(world.id(), 0, this->soon()));
  }
  std::thread writer([&] {
    IoContext io{1};
    const Appended done =
        run_task(io, this->chains().append(world.id(), {world.next()}, this->soon()));
    EXPECT_TRUE(done.result.has_value());
  });
  for (const auto& told : run_tasks(this->io_, std::move(followers))) {
    EXPECT_EQ(told.value().seq, 1U);
  }
  writer.join();
  const ChainWorld unknown;
  EXPECT_EQ(
      run_task(this->io_, this->chains().wait_beyond(unknown.id(), 0, this->soon())).error().code,
      Errc::not_found);
}

REGISTER_TYPED_TEST_SUITE_P(ChainStoreSuite, CreatedChainIsFoundAndUnknownIsNot,
                            NoManifestIsMalformed, AppendedLinksAreReadBackInPages,
                            SameAppendAgainSucceedsAndWritesNothing,
                            OtherLinkAtATakenSeqIsAConflictWithTheHead, BrokenAppendsChangeNothing,
                            RefsThatAreNotHeldRefuseTheWholeAppend,
                            CheckpointDropsWhatIsBeforeItButTheNewestRotateLink,
                            DeletedChainTakesNothingAnyMore, RaceAtOneSeqHasOneWinner,
                            ChainsDoNotDisturbEachOther, WaitEndsWithNewsOrAtTheDeadline);

}  // namespace cairn
