// What a client does with a chain: makes links on a head, checks those that a node shows, finds the
// keys of its epochs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/chain_author.h"
#include "crypto/chain_keys.h"
#include "crypto/chain_walk.h"
#include "crypto/grants.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace cairn {
namespace {

using ::testing::HasSubstr;
using Kind = ChainBreach::Kind;

Bytes bytes_of(std::string_view text) {
  return {as_bytes(text).begin(), as_bytes(text).end()};
}

/// A chain and its owner. What it makes it takes.
class Owner {
 public:
  explicit Owner(Reads reads = Reads::open)
      : write_(WriteSecret::random(random_)),
        manifest_(new_manifest(write_, reads, random_)),
        id_(chain_id_of(manifest_)),
        author_(write_, random_),
        walk_(ChainWalk::of(manifest_, id_).value()),
        keys_(WriteCapability{id_, write_}),
        read_(first_read_secret_of(write_)) {
    keys_.begin(walk_.state());
  }

  Bytes next(LinkDraft draft) {
    const auto made = author_.write(walk_.state(), keys_, {std::move(draft)});
    EXPECT_TRUE(made.has_value()) << made.error().detail;
    take(made.value().front());
    return made.value().front();
  }
  Bytes next(std::string_view payload) { return next(LinkDraft{.payload = bytes_of(payload)}); }
  Bytes checkpoint() {
    return next(LinkDraft{.type = LinkType::checkpoint, .earlier = Earlier::dropped});
  }
  /// A new read epoch, or the same with `writer` as the one writer.
  Bytes rotate(std::optional<ReadSecret> secret, std::optional<PublicKey> writer = {}) {
    const ChainState& head = walk_.state();
    ChainAccess access = head.access;
    if (secret) {
      access.box = box_key_of(box_seed_of(*secret));
      access.fetch_token_hash = sha256_of(fetch_token_of(*secret).view());
    }
    if (writer) access.writers = {*writer};
    const LinkFields fields{.type = LinkType::rotate,
                            .chain = id_,
                            .seq = head.seq + 1,
                            .prev = head.head,
                            .epoch = head.epoch + (secret ? 1U : 0U),
                            .writer = kAdminWriter};
    const ByteView payload = secret ? ByteView(read_.view()) : ByteView();
    Bytes link =
        make_link(fields, rotate_refs(access), payload, link_key_of(secret.value_or(read_)),
                  SigningKey(admin_seed_of(write_)), random_salt(random_));
    if (secret) read_ = *secret;
    take(link);
    return link;
  }

  ChainWalk fresh_walk() const { return ChainWalk::of(manifest_, id_).value(); }
  const ChainWalk& walk() const { return walk_; }
  const ChainKeys& keys() const { return keys_; }
  const ChainId& id() const { return id_; }
  const Bytes& manifest() const { return manifest_; }
  const WriteSecret& write() const { return write_; }
  const ChainAuthor& author() const { return author_; }
  SystemRandom& random() { return random_; }

 private:
  void take(const Bytes& link) {
    const auto taken = walk_.take(link);
    ASSERT_TRUE(taken.has_value()) << walk_.breach().words;
    keys_.see(taken->epoch_before, taken->link);
  }

  SystemRandom random_;
  WriteSecret write_;
  Bytes manifest_;
  ChainId id_;
  ChainAuthor author_;
  ChainWalk walk_;
  ChainKeys keys_;
  ReadSecret read_;
};

/// How far a fresh walk gets, and where it does not what the breach is.
struct Walked {
  std::uint64_t seq = 0;
  std::optional<Kind> breach;
  std::string words;
};

Walked walk_over(ChainWalk walk, const std::vector<Bytes>& links) {
  for (const Bytes& link : links) {
    if (!walk.take(link)) {
      return {walk.state().seq, walk.breach().kind, walk.breach().words};
    }
  }
  return {walk.state().seq, std::nullopt, {}};
}

TEST(ChainAuthor, SeveralDraftsFollowEachOther) {
  Owner owner;
  const BlockId ref = block_id_of(bytes_of("a block"));
  const auto made =
      owner.author().write(owner.walk().state(), owner.keys(),
                           {LinkDraft{.refs = {ref}, .payload = bytes_of("one")},
                            LinkDraft{.type = LinkType::checkpoint, .payload = bytes_of("two")}});
  ASSERT_TRUE(made);
  EXPECT_EQ(walk_over(owner.fresh_walk(), made.value()).seq, 2U);
  const auto first = LinkView::parse(made.value().front()).value();
  EXPECT_EQ(first.ref(0), ref);
  EXPECT_EQ(open_payload(link_key_of(first_read_secret_of(owner.write())), first).value(),
            bytes_of("one"));
}

TEST(ChainAuthor, WriterThatTheChainDoesNotHaveIsDenied) {
  Owner owner;
  SystemRandom random;
  const ChainAuthor other(WriteSecret::random(random), random);
  for (const LinkType type : {LinkType::data, LinkType::checkpoint, LinkType::remove}) {
    const auto made = other.write(owner.walk().state(), owner.keys(), {LinkDraft{.type = type}});
    EXPECT_EQ(made.error().code, Errc::denied);
  }
}

TEST(ChainAuthor, OwnerWhoIsNoWriterStillTrimsAndDeletes) {
  Owner owner;
  SystemRandom random;
  owner.rotate({}, SigningKey(sign_seed_of(WriteSecret::random(random))).public_key());
  EXPECT_EQ(owner.author().write(owner.walk().state(), owner.keys(), {LinkDraft{}}).error().code,
            Errc::denied);
  owner.checkpoint();
  owner.next(LinkDraft{.type = LinkType::remove});
  EXPECT_TRUE(owner.walk().state().removed);
  EXPECT_EQ(owner.author().write(owner.walk().state(), owner.keys(), {LinkDraft{}}).error().code,
            Errc::malformed);
}

TEST(ChainAuthor, PayloadOverTheLimitIsMalformed) {
  Owner owner;
  const LinkDraft most{.payload = Bytes(kMaxLinkPayload)};
  EXPECT_TRUE(owner.author().write(owner.walk().state(), owner.keys(), {most}));
  const LinkDraft over{.payload = Bytes(kMaxLinkPayload + 1)};
  EXPECT_EQ(owner.author().write(owner.walk().state(), owner.keys(), {over}).error().code,
            Errc::malformed);
}

TEST(ChainWalk, OtherManifestIsCorrupt) {
  Owner owner;
  Bytes other = owner.manifest();
  other[10] ^= 1;
  EXPECT_EQ(ChainWalk::of(other, owner.id()).error().code, Errc::corrupt);
}

TEST(ChainWalk, SwappedDroppedAndReorderedLinksAreBroken) {
  Owner owner;
  Owner stranger;
  const Bytes one = owner.next("1");
  const Bytes two = owner.next("2");
  const Bytes three = owner.next("3");
  EXPECT_EQ(walk_over(owner.fresh_walk(), {one, two, three}).seq, 3U);
  EXPECT_EQ(walk_over(owner.fresh_walk(), {one, three}).breach, Kind::broken);
  EXPECT_EQ(walk_over(owner.fresh_walk(), {one, three, two}).seq, 1U);
  EXPECT_EQ(walk_over(owner.fresh_walk(), {one, one}).breach, Kind::broken);
  EXPECT_EQ(walk_over(owner.fresh_walk(), {stranger.next("1")}).breach, Kind::broken);
  for (std::size_t at = 0; at < two.size(); ++at) {
    Bytes changed = two;
    changed[at] ^= 1;
    EXPECT_EQ(walk_over(owner.fresh_walk(), {one, changed}).breach, Kind::broken) << at;
  }
}

TEST(ChainWalk, HeadThatNamesAnotherLinkIsBroken) {
  Owner owner;
  const Bytes one = owner.next("1");
  ChainWalk walk = owner.fresh_walk();
  ASSERT_TRUE(walk.claim({1, link_id_of(bytes_of("other"))}));
  EXPECT_FALSE(walk.take(one));
  EXPECT_EQ(walk.breach().kind, Kind::broken);
  EXPECT_EQ(walk.breach().theirs.link, link_id_of(one));
}

TEST(ChainWalk, ShorterChainThanRememberedIsARollback) {
  Owner owner;
  owner.next("1");
  const ChainPosition shown = owner.walk().position();
  owner.next("2");
  ChainWalk walk = owner.fresh_walk();
  walk.remember(owner.walk().position());
  EXPECT_FALSE(walk.claim(shown));
  EXPECT_EQ(walk.breach().kind, Kind::rolled_back);
  EXPECT_EQ(walk.breach().ours, owner.walk().position());
  EXPECT_EQ(walk.breach().theirs, shown);
}

TEST(ChainWalk, OtherLinkAtTheRememberedSeqIsAFork) {
  Owner owner;
  const Bytes one = owner.next("1");
  const auto other =
      owner.author().write(owner.fresh_walk().state(), owner.keys(), {LinkDraft{}}).value().front();
  for (const bool longer : {false, true}) {
    ChainWalk walk = owner.fresh_walk();
    walk.remember({1, link_id_of(one)});
    if (!longer) {
      EXPECT_FALSE(walk.claim({1, link_id_of(other)}));
    } else {
      ASSERT_TRUE(walk.claim({2, LinkId{}}));
      EXPECT_FALSE(walk.take(other));
    }
    EXPECT_EQ(walk.breach().kind, Kind::fork);
    EXPECT_EQ(walk.breach().ours.link, link_id_of(one));
    EXPECT_EQ(walk.breach().theirs.link, link_id_of(other));
  }
}

TEST(ChainWalk, ChainThatShrinksWhileItIsFollowedIsARollback) {
  Owner owner;
  owner.next("1");
  const ChainPosition one = owner.walk().position();
  const Bytes two = owner.next("2");
  ChainWalk walk = owner.walk();
  EXPECT_FALSE(walk.claim(one));
  EXPECT_EQ(walk.breach().kind, Kind::rolled_back);
}

TEST(ChainWalk, TrimmedChainBeginsAtItsCheckpoint) {
  Owner owner;
  const Bytes one = owner.next("1");
  const Bytes trim = owner.checkpoint();
  const Bytes three = owner.next("3");
  ChainWalk walk = owner.fresh_walk();
  EXPECT_FALSE(walk.start_at(one, std::nullopt)) << "drops nothing";
  EXPECT_FALSE(walk.start_at(bytes_of("nonsense"), std::nullopt));
  ASSERT_TRUE(walk.start_at(trim, std::nullopt));
  EXPECT_EQ(walk_over(walk, {trim, three}).seq, 3U);
  EXPECT_EQ(walk_over(walk, {three}).breach, Kind::broken);
}

TEST(ChainWalk, WritersOfATrimmedChainComeFromItsRotateLink) {
  Owner owner;
  SystemRandom random;
  const WriteSecret other = WriteSecret::random(random);
  const Bytes first = owner.rotate({}, SigningKey(sign_seed_of(owner.write())).public_key());
  const Bytes rotate = owner.rotate({}, SigningKey(sign_seed_of(other)).public_key());
  const Bytes trim =
      ChainAuthor(other, random)
          .write(owner.walk().state(), owner.keys(),
                 {LinkDraft{.type = LinkType::checkpoint, .earlier = Earlier::dropped}})
          .value()
          .front();
  ChainWalk walk = owner.fresh_walk();
  ASSERT_TRUE(walk.start_at(trim, rotate));
  EXPECT_EQ(walk_over(walk, {trim}).seq, 3U);
  ChainWalk without = owner.fresh_walk();
  ASSERT_TRUE(without.start_at(trim, std::nullopt));
  EXPECT_EQ(walk_over(without, {trim}).breach, Kind::broken);
  Bytes forged = rotate;
  forged.back() ^= 1;
  EXPECT_FALSE(owner.fresh_walk().start_at(trim, forged));
  EXPECT_FALSE(owner.fresh_walk().start_at(trim, trim));
}

TEST(ChainWalk, AdminVouchesForLinksOfForgottenWriters) {
  Owner owner;
  SystemRandom random;
  const WriteSecret forgotten = WriteSecret::random(random);
  owner.rotate({}, SigningKey(sign_seed_of(forgotten)).public_key());
  const auto made =
      ChainAuthor(forgotten, random)
          .write(owner.walk().state(), owner.keys(),
                 {LinkDraft{.type = LinkType::checkpoint, .earlier = Earlier::dropped},
                  LinkDraft{.payload = bytes_of("by a writer who is gone")}})
          .value();
  ChainWalk admin = owner.walk();
  ASSERT_TRUE(admin.take(made[0]) && admin.take(made[1]));
  const LinkFields fields{.type = LinkType::rotate,
                          .chain = owner.id(),
                          .seq = 4,
                          .prev = admin.state().head,
                          .writer = kAdminWriter};
  const Bytes rotate = make_link(fields, rotate_refs(owner.fresh_walk().state().access), {},
                                 link_key_of(first_read_secret_of(owner.write())),
                                 SigningKey(admin_seed_of(owner.write())), random_salt(random));

  ChainWalk walk = owner.fresh_walk();
  ASSERT_TRUE(walk.start_vouched(made[0], 4));
  EXPECT_FALSE(walk.take(made[0])) << "before the admin has vouched";
  for (const Bytes& link : {made[0], made[1], rotate}) ASSERT_TRUE(walk.vouch(link));
  EXPECT_FALSE(walk.to_vouch());
  EXPECT_EQ(walk.take(made[0])->signed_by, SignedBy::vouched);
  EXPECT_EQ(walk.take(made[1])->signed_by, SignedBy::vouched);
  EXPECT_EQ(walk.take(rotate)->signed_by, SignedBy::key);
  EXPECT_EQ(walk.state().access, owner.fresh_walk().state().access);

  ChainWalk other = owner.fresh_walk();
  ASSERT_TRUE(other.start_vouched(made[0], 3));
  EXPECT_TRUE(other.vouch(made[0]));
  EXPECT_FALSE(other.vouch(made[1])) << "no rotate link";
  EXPECT_THAT(other.breach().words, HasSubstr("no rotate link of the admin"));
  ChainWalk cut = owner.fresh_walk();
  ASSERT_TRUE(cut.start_vouched(made[0], 4));
  EXPECT_TRUE(cut.vouch(made[0]));
  EXPECT_FALSE(cut.vouch(rotate));
  EXPECT_FALSE(owner.fresh_walk().start_vouched(made[0], std::uint64_t{1} << 40)) << "bounded";
}

TEST(ChainKeys, LaterSecretOpensTheEpochsBeforeIt) {
  Owner owner;
  const Bytes zero = owner.next("0");
  const ReadSecret first = ReadSecret::random(owner.random());
  const Bytes one = owner.rotate(first);
  const ReadSecret second = ReadSecret::random(owner.random());
  const Bytes two = owner.rotate(second);
  ChainWalk walk = owner.fresh_walk();
  ChainKeys keys(ReadCapability{owner.id(), second});
  keys.begin(walk.state());
  EXPECT_EQ(keys.of(0), nullptr);
  for (const Bytes& link : {zero, one, two}) {
    const auto taken = walk.take(link);
    ASSERT_TRUE(taken);
    keys.see(taken->epoch_before, taken->link);
  }
  ASSERT_NE(keys.of(0), nullptr);
  EXPECT_EQ(*keys.of(0), first_read_secret_of(owner.write()));
  EXPECT_EQ(*keys.of(1), first);
  EXPECT_EQ(keys.newest(), second);
}

TEST(ChainKeys, SecretThatTheChainDoesNotNameCountsForNothing) {
  Owner owner;
  ChainKeys keys(ReadCapability{owner.id(), ReadSecret::random(owner.random())});
  keys.begin(owner.walk().state());
  EXPECT_EQ(keys.of(0), nullptr);
  ChainKeys none(VerifyCapability{owner.id()});
  none.begin(owner.walk().state());
  EXPECT_EQ(none.of(0), nullptr);
  EXPECT_FALSE(none.newest());
}

TEST(Grants, WhatIsNoneOpensNothing) {
  Owner owner;
  const BoxSeed seed = owner_box_seed_of(owner.write());
  EXPECT_TRUE(open_grants(bytes_of("payload"), seed).empty());
  Bytes zeros = bytes_of("cairn-grants-1");
  EXPECT_TRUE(is_grants(zeros));
  zeros.resize(zeros.size() + 2 * 140 + 7);
  EXPECT_TRUE(open_grants(zeros, seed).empty()) << "a key of small order, and a rest";
}

}  // namespace
}  // namespace cairn
