// Manifests, links and the rules between them, as properties; their bytes are tests/vectors'.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/chain_append.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace cairn {
namespace {

/// A chain with one writer, and links that follow each other.
class Chain {
 public:
  Chain()
      : write_(WriteSecret::random(random_)),
        admin_(admin_seed_of(write_)),
        writer_(sign_seed_of(write_)),
        key_(link_key_of(first_read_secret_of(write_))),
        state_(start()) {}

  ChainAccess access(std::size_t writers = 1) const {
    ChainAccess out;
    out.writers.assign(writers, writer_.public_key());
    return out;
  }

  Bytes next(LinkFields fields, const std::vector<BlockId>& refs = {}, ByteView payload = {}) {
    fields.chain = state_.chain;
    if (fields.seq == 0) fields.seq = state_.seq + 1;
    if (fields.prev == LinkId{}) fields.prev = state_.head;
    const SigningKey& signer = fields.writer == kAdminWriter ? admin_ : writer_;
    return make_link(fields, refs, payload, key_, signer, random_salt(random_));
  }

  Result<void> check(const Bytes& link) const {
    const auto view = LinkView::parse(link);
    if (view.has_error()) return view.error();
    return state_.check_next(view.value());
  }

  void take(const Bytes& link) {
    ASSERT_TRUE(check(link).has_value());
    state_.advance(LinkView::parse(link).value(), link_id_of(link));
  }

  const LinkKey& key() const { return key_; }
  const ChainState& state() const { return state_; }

 private:
  ChainState start() const {
    Manifest manifest;
    manifest.admin = admin_.public_key();
    manifest.access = access();
    const Bytes bytes = manifest_bytes(manifest);
    return ChainState::of(parse_manifest(bytes).value(), chain_id_of(bytes));
  }

  SystemRandom random_;
  WriteSecret write_;
  SigningKey admin_;
  SigningKey writer_;
  LinkKey key_;
  ChainState state_;
};

RC_GTEST_PROP(Link, PayloadAndRefsComeBack, (const Bytes& payload, std::uint8_t refs)) {
  RC_PRE(payload.size() <= kMaxLinkPayload);
  Chain chain;
  std::vector<BlockId> ids;
  for (std::uint8_t i = 0; i < refs; ++i) ids.push_back(block_id_of(ByteView(&i, 1)));
  const Bytes link = chain.next({}, ids, payload);
  const auto view = LinkView::parse(link);
  RC_ASSERT(view.has_value());
  RC_ASSERT(view.value().ref_count() == ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) RC_ASSERT(view.value().ref(i) == ids[i]);
  RC_ASSERT(open_payload(chain.key(), view.value()).value() == payload);
  RC_ASSERT(chain.check(link).has_value());
}

RC_GTEST_PROP(Link, AnyChangedBitIsRefused, (std::uint16_t at, std::uint8_t bit)) {
  Chain chain;
  Bytes link = chain.next({}, {BlockId{}}, as_bytes("payload"));
  link[at % link.size()] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  RC_ASSERT(!chain.check(link).has_value());
}

TEST(Link, LargestLinkIsTakenAndOneByteMoreIsNot) {
  Chain chain;
  const Bytes largest =
      chain.next({}, std::vector<BlockId>(kMaxLinkRefs), Bytes(kMaxLinkPayload, 7));
  EXPECT_EQ(largest.size(), kMaxLinkBytes);
  EXPECT_TRUE(chain.check(largest).has_value());
  Bytes longer = largest;
  longer.push_back(0);
  EXPECT_EQ(chain.check(longer).error().code, Errc::malformed);
}

TEST(ChainState, SeqNeverWrapsAround) {
  Chain chain;
  ChainState last = chain.state();
  last.seq = ~std::uint64_t{0};
  const Bytes link = chain.next({.seq = ~std::uint64_t{0}});
  EXPECT_EQ(last.check_next(LinkView::parse(link).value()).error().code, Errc::conflict);
  EXPECT_EQ(chain.check(link).error().code, Errc::malformed);
}

TEST(ChainState, EpochGrowsWithRotateLinksAlone) {
  Chain chain;
  const auto rotate = [&](std::uint32_t epoch) {
    return chain.next({.type = LinkType::rotate, .epoch = epoch, .writer = kAdminWriter},
                      rotate_refs(chain.access(2)));
  };
  EXPECT_EQ(chain.check(chain.next({.epoch = 1})).error().code, Errc::malformed);
  chain.take(rotate(0));  // New writers need no new epoch.
  chain.take(rotate(7));
  EXPECT_EQ(chain.state().epoch, 7U);
  EXPECT_EQ(chain.state().rotated_at, 2U);
  EXPECT_EQ(chain.check(rotate(6)).error().code, Errc::malformed);
  EXPECT_EQ(chain.check(chain.next({.epoch = 8})).error().code, Errc::malformed);
  chain.take(chain.next({.epoch = 7, .writer = 1}));
}

TEST(ChainState, CheckpointDropsOnlyWhenItSaysSo) {
  Chain chain;
  chain.take(chain.next({}));
  chain.take(chain.next({.type = LinkType::checkpoint}));
  EXPECT_EQ(chain.state().first_kept, 1U);
  chain.take(chain.next({.type = LinkType::checkpoint, .earlier = Earlier::dropped}));
  EXPECT_EQ(chain.state().first_kept, 3U);
}

TEST(ChainState, LinkOnAnotherHeadIsAConflict) {
  Chain chain;
  const Bytes one = chain.next({}, {}, as_bytes("one"));
  const Bytes other = chain.next({}, {}, as_bytes("other"));
  chain.take(one);
  EXPECT_EQ(chain.check(other).error().code, Errc::conflict);
  EXPECT_EQ(chain.check(chain.next({.prev = link_id_of(other)})).error().code, Errc::conflict);
}

TEST(ChainState, NothingFollowsADeleteLink) {
  Chain chain;
  chain.take(chain.next({.type = LinkType::remove, .writer = kAdminWriter}));
  EXPECT_TRUE(chain.state().removed);
  EXPECT_EQ(chain.check(chain.next({})).error().code, Errc::malformed);
}

/// Plans an append to a chain of `held` links.
Result<AppendPlan> plan(const Chain& chain, const std::vector<Bytes>& held,
                        const std::vector<Bytes>& links) {
  return plan_append(chain.state(), links, [&held](std::uint64_t seq) -> std::optional<LinkId> {
    if (seq == 0 || seq > held.size()) return std::nullopt;
    return link_id_of(held[seq - 1]);
  });
}

/// `count` links, the first of which follows the chain's head.
std::vector<Bytes> run_of(Chain chain, std::size_t count) {
  std::vector<Bytes> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(
        chain.next({}, {BlockId{}, block_id_of(ByteView(out.empty() ? Bytes(1) : out[0]))}));
    chain.take(out.back());
  }
  return out;
}

TEST(ChainAppend, LinksThatFollowEachOtherArePlannedAndHeldOnesPassedOver) {
  Chain chain;
  const std::vector<Bytes> links = run_of(chain, 4);
  EXPECT_EQ(plan(chain, {}, links).value().links.size(), 4U);
  EXPECT_EQ(refs_of(plan(chain, {}, links).value().links).size(), 3U);
  chain.take(links[0]);
  chain.take(links[1]);
  const std::vector<Bytes> held(links.begin(), links.begin() + 2);
  const auto rest = plan(chain, held, links);
  EXPECT_EQ(rest.value().links.size(), 2U);
  EXPECT_EQ(rest.value().after.seq, 4U);
  EXPECT_TRUE(plan(chain, held, held).value().links.empty());
  EXPECT_EQ(plan(chain, held, held).value().after, chain.state());
}

TEST(ChainAppend, LinksOutOfOrderAreMalformedAndTakenSeqsAConflict) {
  Chain chain;
  const std::vector<Bytes> links = run_of(chain, 3);
  EXPECT_EQ(plan(chain, {}, {links[0], links[2]}).error().code, Errc::malformed);
  EXPECT_EQ(plan(chain, {}, {links[0], links[0]}).error().code, Errc::malformed);
  EXPECT_EQ(plan(chain, {}, {links[1]}).error().code, Errc::malformed);
  const Bytes other = chain.next({}, {}, as_bytes("other"));
  chain.take(links[0]);
  EXPECT_EQ(plan(chain, {links[0]}, {other}).error().code, Errc::conflict);
  EXPECT_EQ(plan(chain, {}, {links[0]}).error().code, Errc::conflict);
}

}  // namespace
}  // namespace cairn
