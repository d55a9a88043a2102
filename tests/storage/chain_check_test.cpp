// fsck of chains: sound ones are clean, trimmed ones too, and each kind of damage is found.
#include <gmock/gmock.h>

#include "storage/chain_records.h"
#include "storage/fsck.h"
#include "storage/open_store.h"
#include "tests/conformance/chain_world.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

class ChainCheckTest : public StorageFixture {
 protected:
  void SetUp() override {
    open();
    block_ = make_test_block(1, 5'000);
    ASSERT_TRUE(put(block_).has_value());
    create(world_);
    append(world_, {world_.next(), world_.next({}, {block_.id()}), world_.next()});
  }

  void create(const ChainWorld& world) {
    ASSERT_TRUE(run_task(io_, chains().create(world.manifest(), soon())).has_value());
  }
  void append(const ChainWorld& world, std::vector<Bytes> links) {
    const auto done = run_task(io_, chains().append(world.id(), std::move(links), soon()));
    ASSERT_TRUE(done.result.has_value()) << done.result.error().detail;
  }
  ChainStore& chains() { return storage_->chains(); }

  FsckReport check(bool repair = false) {
    close();
    FsckOptions options;
    options.directory = directory_.path();
    options.repair = repair;
    auto report = fsck(options, clock_, random_, log_);
    EXPECT_TRUE(report.has_value());
    return report ? std::move(report).value() : FsckReport{};
  }
  std::vector<FsckFault> faults(bool repair = false) {
    std::vector<FsckFault> out;
    for (const FsckProblem& problem : check(repair).problems) out.push_back(problem.fault);
    return out;
  }

  /// Changes the records of world_ behind the store's back.
  template <class Change>
  void tamper(const Change& change) {
    close();
    auto opened =
        open_store(directory_.path(), {"test", std::nullopt}, Database::Options(), random_, log_);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    OpenStore& store = opened.value();
    const std::uint64_t seed = store.identity.placement_seed;
    rocksdb::WriteBatch batch;
    change(*store.database, ChainKeys(slot_of(world_.id(), seed), world_.id()), batch);
    ASSERT_TRUE(store.database->write(batch, true).has_value());
  }
  std::string pin_of(std::uint64_t seq) const {
    const auto identity = read_identity(directory_.path());
    const IndexKey block(slot_of(block_.id(), identity.value().placement_seed), block_.id());
    return pin_key(block, world_.id(), seq);
  }

  ChainWorld world_;
  Block block_;
};

TEST_F(ChainCheckTest, SoundChainsAreCleanAndCounted) {
  ChainWorld gated(Reads::gated);
  create(gated);
  ChainWorld empty;
  create(empty);
  append(gated, {gated.next(), gated.rotate(), gated.next()});
  const FsckReport report = check();
  EXPECT_TRUE(report.clean());
  EXPECT_EQ(report.chains, 3U);
  EXPECT_EQ(report.links, 6U);
}

TEST_F(ChainCheckTest, TrimmedAndRemovedChainsAreClean) {
  append(world_, {world_.rotate(), world_.checkpoint({block_.id()}), world_.next()});
  ChainWorld removed;
  create(removed);
  append(removed, {removed.next(), removed.remove()});
  EXPECT_TRUE(check().clean());
  open();
  ASSERT_TRUE(storage_->collect_now());
  ASSERT_TRUE(eventually([this] { return storage_->stats().gc.trimmed_links >= 3; }));
  append(world_, {world_.next()});
  EXPECT_TRUE(check().clean());
}

TEST_F(ChainCheckTest, LinkThatIsGoneIsFound) {
  tamper([](Database& db, const ChainKeys& keys, rocksdb::WriteBatch& batch) {
    batch.Delete(db.chain(), keys.link(1));
  });
  EXPECT_THAT(faults(), ::testing::Contains(FsckFault::bad_chain));
}

TEST_F(ChainCheckTest, LastLinkThatIsGoneIsFound) {
  tamper([](Database& db, const ChainKeys& keys, rocksdb::WriteBatch& batch) {
    batch.Delete(db.chain(), keys.link(3));
  });
  EXPECT_EQ(faults(), std::vector{FsckFault::bad_chain});
}

TEST_F(ChainCheckTest, FlippedBitOfALinkIsFoundWhereverItIs) {
  for (const std::size_t at : {std::size_t{0}, std::size_t{60}, std::size_t{200}}) {
    std::string whole;
    tamper([&](Database& db, const ChainKeys& keys, rocksdb::WriteBatch& batch) {
      ASSERT_TRUE(db.db().Get({}, db.chain(), keys.link(3), &whole).ok());
      std::string spoiled = whole;
      spoiled.at(std::min(at, whole.size() - 1)) ^= 1;
      batch.Put(db.chain(), keys.link(3), spoiled);
    });
    EXPECT_EQ(faults(), std::vector{FsckFault::bad_chain}) << at;
    tamper([&](Database& db, const ChainKeys& keys, rocksdb::WriteBatch& batch) {
      batch.Put(db.chain(), keys.link(3), whole);
    });
  }
  EXPECT_TRUE(check().clean());
}

TEST_F(ChainCheckTest, StateThatTheLinksDoNotMakeIsFound) {
  tamper([this](Database& db, const ChainKeys& keys, rocksdb::WriteBatch& batch) {
    ChainState state = world_.state();
    state.access.box[0] ^= 1;
    batch.Put(db.chain(), keys.state(), encode_chain_state(state));
  });
  EXPECT_EQ(faults(), std::vector{FsckFault::bad_chain});
  tamper([](Database& db, const ChainKeys& keys, rocksdb::WriteBatch& batch) {
    batch.Put(db.chain(), keys.state(), "garbage");
  });
  EXPECT_EQ(faults(), std::vector{FsckFault::bad_chain});
  tamper([](Database& db, const ChainKeys& keys, rocksdb::WriteBatch& batch) {
    batch.Delete(db.chain(), keys.state());
  });
  EXPECT_EQ(faults(), std::vector{FsckFault::bad_chain});
}

TEST_F(ChainCheckTest, ForeignManifestAndForeignRecordsAreFound) {
  tamper([](Database& db, const ChainKeys& keys, rocksdb::WriteBatch& batch) {
    batch.Put(db.chain(), keys.manifest(), std::string(as_text(ChainWorld().manifest())));
    batch.Put(db.chain(), "short", "value");
  });
  EXPECT_EQ(std::ranges::count(faults(), FsckFault::bad_chain), 2);
}

TEST_F(ChainCheckTest, PinsAreMendedAsLinksWantThem) {
  tamper([this](Database& db, const ChainKeys&, rocksdb::WriteBatch& batch) {
    batch.Delete(db.pin(), pin_of(2));
    batch.Put(db.pin(), pin_of(77), rocksdb::Slice());
  });
  const std::vector expected{FsckFault::missing_pin, FsckFault::stray_pin};
  EXPECT_EQ(faults(), expected);
  EXPECT_EQ(faults(true), expected);
  EXPECT_TRUE(check().clean());
}

TEST_F(ChainCheckTest, BlockThatALinkWantsAndNobodyHasIsFound) {
  tamper([this](Database& db, const ChainKeys&, rocksdb::WriteBatch& batch) {
    const auto identity = read_identity(directory_.path());
    const IndexKey block(slot_of(block_.id(), identity.value().placement_seed), block_.id());
    batch.Delete(db.index(), to_slice(block.view()));
    batch.Delete(db.body(), to_slice(block.view()));
  });
  const FsckReport report = check(true);
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_EQ(report.problems[0].fault, FsckFault::dangling_ref);
  EXPECT_EQ(report.problems[0].block, block_.id().text());
  EXPECT_FALSE(report.clean());
  open();
  ASSERT_TRUE(put(block_).has_value());
  EXPECT_TRUE(check().clean());
}

}  // namespace
}  // namespace cairn
