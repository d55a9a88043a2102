// The routes of chains over a store in memory.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/parse.hpp>
#include <functional>

#include "crypto/hash.h"
#include "node/api/chain_answers.h"
#include "node/api/chain_request.h"
#include "node/api/event_source.h"
#include "node/api/live_request.h"
#include "node/api/live_source.h"
#include "tests/node/api/api_harness.h"

namespace cairn::api {
namespace {

using http::Method;

boost::json::object parsed(const Answer& answer) {
  return boost::json::parse(answer.body).as_object();
}

std::string text_at(const boost::json::object& object, const char* name) {
  return std::string(object.at(name).as_string().c_str());
}

class ChainRoutes : public ApiTest {
 protected:
  ChainRoutes() {
    make(world_);
    make(gated_);
  }

  Answer append(const ChainWorld& world, const std::vector<Bytes>& links, std::string token = {}) {
    std::string body;
    for (const Bytes& link : links) body += frame(as_text(link));
    Call out{.method = Method::post, .target = path_of(world) + "/links", .body = body};
    if (!token.empty()) out.fields = {{"Authorization", "Cairn-Fetch " + token}};
    return call(std::move(out));
  }

  static std::string token_of(const ChainWorld& world) {
    return to_base64url(world.fetch_token().view());
  }

  ChainWorld world_;
  ChainWorld gated_{Reads::gated};
};

TEST_F(ChainRoutes, HeadGrowsWithWhatIsAppendedAndRevalidates) {
  const Answer empty = call({.target = path_of(world_)});
  EXPECT_EQ(text_at(parsed(empty), "link"), world_.id().text());
  EXPECT_EQ(append(world_, world_.several(3)).status, 201);
  const Answer grown = call({.target = path_of(world_)});
  EXPECT_EQ(parsed(grown).at("seq").as_int64(), 3);
  EXPECT_EQ(text_at(parsed(grown), "link"), world_.state().head.text());
  EXPECT_EQ(grown.field("ETag"), '"' + world_.state().head.text() + '"');
  const auto ask = [&](const Answer& known) {
    return call({.target = path_of(world_), .fields = {{"If-None-Match", known.field("ETag")}}});
  };
  EXPECT_EQ(ask(empty).status, 200);
  EXPECT_EQ(ask(grown).status, 304);
  EXPECT_EQ(ask(grown).body, "");
}

TEST_F(ChainRoutes, ReceiptIsSignedByTheNode) {
  const Answer answer = append(world_, world_.several(2));
  const auto receipt = parsed(answer);
  const Receipt said{.chain = world_.id(),
                     .seq = 2,
                     .link = world_.state().head,
                     .epoch = 0,
                     .time = clock_.wall()};
  EXPECT_EQ(text_at(receipt, "link"), said.link.text());
  const auto node = parsed(call({.target = "/v1/node"}));
  EXPECT_EQ(text_at(node, "key"), text_at(receipt, "node"));
  const auto key = PublicKey::from_bytes(*from_base64url(text_at(node, "key")));
  const auto signature = Signature::from_bytes(*from_base64url(text_at(receipt, "signature")));
  EXPECT_TRUE(verify(*key, said, *signature));
  Receipt other = said;
  other.seq = 1;
  EXPECT_FALSE(verify(*key, other, *signature));
}

TEST_F(ChainRoutes, SameAppendAgainIsASuccessAndARaceIsToldWhatItMissed) {
  ChainWorld theirs = world_;
  const auto first = world_.several(3);
  EXPECT_EQ(append(world_, first).status, 201);
  EXPECT_EQ(append(world_, first).status, 200);
  const Answer lost = append(theirs, {theirs.next({}, {}, "late")});
  EXPECT_EQ(lost.status, 409);
  EXPECT_TRUE(lost.is_problem("conflict"));
  const auto told = parsed(lost);
  EXPECT_EQ(told.at("head").as_object().at("seq").as_int64(), 3);
  const auto& links = told.at("links").as_array();
  ASSERT_EQ(links.size(), 3U);
  EXPECT_EQ(std::string(links[2].as_string().c_str()), to_base64url(first[2]));
}

TEST_F(ChainRoutes, ConflictOfAGatedChainTellsNothingWithoutTheToken) {
  ChainWorld theirs = gated_;
  EXPECT_EQ(append(gated_, {gated_.next()}).status, 201);
  const Bytes late = theirs.next({}, {}, "late");
  const Answer blind = append(theirs, {late});
  EXPECT_EQ(blind.status, 409);
  EXPECT_FALSE(parsed(blind).contains("head"));
  EXPECT_FALSE(parsed(blind).contains("links"));
  EXPECT_TRUE(parsed(append(theirs, {late}, token_of(gated_))).contains("links"));
}

TEST_F(ChainRoutes, OldLinkSentAgainTellsNothingOfTheHead) {
  const Bytes old = gated_.next();
  EXPECT_EQ(append(gated_, {old}).status, 201);
  EXPECT_EQ(append(gated_, gated_.several(2)).status, 201);
  const Answer again = append(gated_, {old});
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(parsed(again).at("seq").as_int64(), 1);
  EXPECT_EQ(text_at(parsed(again), "link"), link_id_of(old).text());
}

TEST_F(ChainRoutes, MissingRefsAreNamedAndNothingIsAppended) {
  const BlockId gone = block_id_of(as_bytes("gone"));
  const BlockId here = hold("here");
  const Answer refused = append(world_, {world_.beside({}, {here, gone})});
  EXPECT_EQ(refused.status, 424);
  const auto told = parsed(refused);
  const auto& missing = told.at("missing").as_array();
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(std::string(missing[0].as_string().c_str()), gone.text());
  EXPECT_EQ(parsed(call({.target = path_of(world_)})).at("seq").as_int64(), 0);
}

TEST_F(ChainRoutes, PagesAreFramesOrJson) {
  const auto links = world_.several(5);
  append(world_, links);
  const Answer frames = call({.target = path_of(world_) + "/links?from=2&limit=3"});
  EXPECT_EQ(frames.body,
            frame(as_text(links[1])) + frame(as_text(links[2])) + frame(as_text(links[3])));
  EXPECT_EQ(frames.field("Content-Type"), "application/vnd.cairn.links");
  const Answer json = call({.target = path_of(world_) + "/links?limit=2&from=5",
                            .fields = {{"Accept", "application/json"}}});
  EXPECT_EQ(parsed(json).at("first").as_int64(), 5);
  EXPECT_EQ(parsed(json).at("links").as_array().size(), 1U);
  EXPECT_EQ(call({.target = path_of(world_) + "/links?from=6"}).body, "");
}

TEST_F(ChainRoutes, OnlyFullPagesFarBehindTheHeadOfAnOpenChainAreCacheable) {
  for (ChainWorld* world : {&world_, &gated_}) {
    for (int i = 0; i < 5; ++i) ASSERT_EQ(append(*world, world->several(256)).status, 201);
  }
  const auto cache = [&](const ChainWorld& world, const std::string& query) {
    return call({.target = path_of(world) + "/links" + query,
                 .fields = {{"Authorization", "Cairn-Fetch " + token_of(world)}}})
        .field("Cache-Control");
  };
  const std::string forever = "public, max-age=31536000, immutable";
  EXPECT_EQ(cache(world_, "?from=1&limit=100"), forever);
  EXPECT_NE(cache(world_, "?from=200&limit=256"), forever);
  EXPECT_NE(cache(gated_, "?from=1&limit=100"), forever);
}

TEST_F(ChainRoutes, GatedChainIsReadWithItsTokenOnly) {
  append(gated_, {gated_.next()});
  for (const char* part : {"", "/manifest", "/links", "/events"}) {
    const std::string target = path_of(gated_) + part;
    EXPECT_EQ(call({.target = target}).field("WWW-Authenticate"), "Cairn-Fetch") << target;
    for (const std::string& word :
         {std::string("Bearer ") + token_of(gated_), std::string("Cairn-Fetch ") + token_of(world_),
          std::string("Cairn-Fetch ="), std::string("Cairn-Fetch")}) {
      EXPECT_EQ(call({.target = target, .fields = {{"Authorization", word}}}).status, 401) << word;
    }
  }
  const Answer read = call({.target = path_of(gated_) + "/manifest",
                            .fields = {{"Authorization", "cairn-fetch " + token_of(gated_)}}});
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.body, as_text(gated_.manifest()));
  EXPECT_EQ(read.field("Cache-Control"), "private, no-store");
}

TEST_F(ChainRoutes, BodiesAndQueriesOfOtherFormsAreRefused) {
  for (const char* query : {"?from=0", "?from=", "?from=1&from=2", "?limit=257", "?limit=01",
                            "?x=1", "?from=18446744073709551616", "?from=-1", "?&"}) {
    EXPECT_EQ(call({.target = path_of(world_) + "/links" + query}).status, 400) << query;
  }
  const auto post_body = [&](std::string body) {
    return call({.method = Method::post, .target = path_of(world_) + "/links", .body = body})
        .status;
  };
  EXPECT_EQ(post_body(""), 400);
  EXPECT_EQ(post_body(frame("")), 400);
  EXPECT_EQ(post_body(frame("x").substr(0, 4)), 400);
  std::string many;
  for (int i = 0; i < 257; ++i) many += frame("x");
  EXPECT_EQ(post_body(many), 413);
  EXPECT_EQ(post_body(frame("x")), 422);
  EXPECT_EQ(call({.target = path_of(world_)}).status, 200);
}

TEST_F(ChainRoutes, PreferencesAreReadStrictly) {
  const auto wait_of = [&](const char* value) {
    std::optional<std::chrono::seconds> out;
    with_request({.target = "/", .fields = {{"Prefer", value}}},
                 [&](const http::Request& request) { out = preferred_wait(request); });
    return out;
  };
  EXPECT_EQ(wait_of("wait=5"), std::chrono::seconds(5));
  EXPECT_EQ(wait_of("respond-async, Wait = 7; x"), std::chrono::seconds(7));
  EXPECT_EQ(wait_of("wait=99999999999"), kLongestWait);
  EXPECT_EQ(wait_of("wait=-1"), std::nullopt);
  EXPECT_EQ(wait_of("wait"), std::nullopt);
}

/// An EventSource by hand.
class Following : public ChainRoutes {
 protected:
  EventSource source(const ChainWorld& world, std::uint64_t seen) {
    const auto head = run_task(io_, chains_.head(world.id(), clock_.in(std::chrono::seconds(1))));
    return {follow_world(), ChainCursor(head.value(), seen)};
  }
  FollowWorld follow_world(std::chrono::seconds heartbeat = std::chrono::seconds(15)) {
    return {chains_, clock_, recent_, ending_, std::chrono::seconds(1), heartbeat};
  }
  std::string next(http::BodySource& source) {
    const auto part = run_task(io_, source.next());
    return part.has_value() ? std::string(as_text(part.value())) : "failed";
  }
  /// next() that has to wait, and what happens meanwhile.
  std::string next_after(http::BodySource& source, const std::function<void()>& meanwhile) {
    std::optional<Result<ByteView>> part;
    boost::asio::co_spawn(io_, await_into(source.next(), part), boost::asio::detached);
    io_.restart();
    io_.poll();
    EXPECT_FALSE(part.has_value());
    meanwhile();
    io_.restart();
    io_.run();
    return part && part->has_value() ? std::string(as_text(part->value())) : "failed";
  }
  static std::string event(std::uint64_t seq, const Bytes& link) {
    std::string out;
    append_link_event(seq, link, out);
    return out;
  }

  RecentLinks recent_{1 << 20};
  std::atomic<bool> ending_{false};
};

TEST_F(Following, CatchesUpInStepsThenWaitsForNews) {
  const auto links = world_.several(ChainCursor::kStepLinks + 1);
  append(world_, links);
  EventSource follower = source(world_, 0);
  EXPECT_TRUE(next(follower).starts_with(":"));
  std::string first;
  for (std::size_t i = 0; i < ChainCursor::kStepLinks; ++i) first += event(i + 1, links[i]);
  EXPECT_EQ(next(follower), first);
  EXPECT_EQ(next(follower), event(links.size(), links.back()));
  const Bytes fresh = world_.next();
  EXPECT_EQ(next_after(follower, [&] { append(world_, {fresh}); }), event(links.size() + 1, fresh));
}

TEST_F(Following, NewestLinkComesFromMemoryWhereItIsTheNext) {
  EventSource follower = source(world_, 0);
  next(follower);
  const Bytes link = world_.next();
  recent_.offer(link_id_of(link), 1, link);
  append(world_, {link});
  const std::size_t before = chains_.pages_read();
  EXPECT_EQ(next(follower), event(1, link));
  EXPECT_EQ(chains_.pages_read(), before);
}

TEST_F(Following, DroppedLinksAreAResyncAndEventsGoOnBehindIt) {
  append(world_, world_.several(3));
  EventSource follower = source(world_, 1);
  next(follower);
  append(world_, {world_.checkpoint()});
  const std::string resync = next(follower);
  EXPECT_TRUE(resync.starts_with("id: 4\nevent: resync\ndata: {\"chain\":")) << resync;
  const Bytes link = world_.next();
  append(world_, {link});
  EXPECT_EQ(next(follower), event(5, link));
}

TEST_F(Following, EndsBehindADeleteLinkAndWhenTheNodeDrains) {
  EventSource deleted = source(world_, 0);
  EventSource drained = source(gated_, 0);
  next(deleted);
  next(drained);
  const Bytes last = world_.remove();
  append(world_, {last});
  EXPECT_EQ(next(deleted), event(1, last));
  EXPECT_EQ(next(deleted), "");
  EXPECT_EQ(next_after(drained,
                       [&] {
                         ending_ = true;
                         chains_.end_waits();
                       }),
            "");
}

TEST_F(Following, RotateLinkThatTakesTheRightAwayIsTheLast) {
  EventSource follower = source(gated_, 0);
  next(follower);
  ChainAccess other = gated_.access();
  other.fetch_token_hash[0] ^= 1;
  const Bytes rotate =
      gated_.next({.type = LinkType::rotate, .writer = kAdminWriter}, rotate_refs(other));
  append(gated_, {rotate, gated_.next()});
  EXPECT_EQ(next(follower), event(1, rotate));
  EXPECT_EQ(next(follower), "");
}

TEST_F(Following, SilenceIsACommentAndAFailureEndsTheAnswer) {
  const auto head = run_task(io_, chains_.head(world_.id(), clock_.in(std::chrono::seconds(1))));
  EventSource follower(follow_world(std::chrono::seconds(0)), ChainCursor(head.value(), 0));
  next(follower);
  EXPECT_EQ(next(follower), ":\n\n");
  EXPECT_EQ(next(follower), ":\n\n");
  chains_.set_failure(Errc::unavailable);
  EXPECT_EQ(next(follower), "failed");
}

/// Chains over one connection.
class FollowingMany : public Following {
 protected:
  static LiveStart from(const ChainWorld& world, std::optional<std::uint64_t> seen,
                        ByteView token = {}) {
    return {.chain = world.id(), .seen = seen, .token = Bytes(token.begin(), token.end())};
  }
  static std::string live_event(const ChainWorld& world, std::uint64_t seq, const Bytes& link) {
    return "event: link\ndata: {\"chain\":\"" + world.id().text() +
           "\",\"seq\":" + std::to_string(seq) + ",\"link\":\"" + to_base64url(link) + "\"}\n\n";
  }
};

TEST_F(FollowingMany, LinksOfEachChainComeFromWhereTheFollowerWasAndThenAsTheyGrow) {
  const auto old = world_.several(2);
  append(world_, old);
  const FetchToken token = gated_.fetch_token();
  LiveSource source(follow_world(), {from(world_, 1), from(gated_, std::nullopt, token.view())});
  EXPECT_EQ(next(source), ": follows\n\n");
  EXPECT_EQ(next(source), live_event(world_, 2, old[1]));
  const Bytes secret = gated_.next();
  EXPECT_EQ(next_after(source, [&] { append(gated_, {secret}); }), live_event(gated_, 1, secret));
  const Bytes fresh = world_.next();
  EXPECT_EQ(next_after(source, [&] { append(world_, {fresh}); }), live_event(world_, 3, fresh));
}

TEST_F(FollowingMany, ChainThatMayNotBeReadIsRefusedByItself) {
  LiveSource source(follow_world(), {from(gated_, 0), from(ChainWorld(), 0), from(world_, 0)});
  next(source);
  const std::string refused = next(source);
  EXPECT_NE(refused.find("/problems/fetch-token-needed"), std::string::npos) << refused;
  EXPECT_NE(refused.find("/problems/no-such-chain"), std::string::npos) << refused;
  const Bytes link = world_.next();
  EXPECT_EQ(next_after(source, [&] { append(world_, {link}); }), live_event(world_, 1, link));
}

TEST_F(FollowingMany, ResyncEndAndDrain) {
  append(world_, world_.several(2));
  append(world_, {world_.checkpoint()});
  LiveSource source(follow_world(), {from(world_, 0)});
  next(source);
  EXPECT_TRUE(next(source).starts_with("event: resync\ndata: {\"chain\":\""));
  const Bytes last = world_.remove();
  const std::string end = next_after(source, [&] { append(world_, {last}); });
  EXPECT_EQ(end, live_event(world_, 4, last) + "event: ended\ndata: {\"chain\":\"" +
                     world_.id().text() + "\"}\n\n");
  EXPECT_EQ(next(source), "") << "nothing is left to follow";
  const FetchToken token = gated_.fetch_token();
  LiveSource drained(follow_world(), {from(gated_, 0, token.view())});
  next(drained);
  EXPECT_EQ(next_after(drained,
                       [&] {
                         ending_ = true;
                         chains_.end_waits();
                       }),
            "");
}

TEST(LiveRequestTest, OneShapeIsTaken) {
  const std::string id = ChainWorld().id().text();
  const auto parsed = parse_live_request("{\"" + id + "\": 7}");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed.value().front().chain.text(), id);
  EXPECT_EQ(parsed.value().front().seen, 7U);
  const auto gated = parse_live_request("{\"" + id + "\":{\"seen\":null,\"token\":\"AQID\"}}");
  ASSERT_TRUE(gated.has_value());
  EXPECT_FALSE(gated.value().front().seen.has_value());
  EXPECT_EQ(gated.value().front().token, (Bytes{1, 2, 3}));
  for (const std::string& bad :
       {std::string("{}"), std::string("[]"), std::string("x"), "{\"" + id + "\":-1}",
        "{\"" + id + "\":1.5}", "{\"" + id + "\":\"1\"}", "{\"" + id + "\":{\"x\":1}}",
        "{\"" + id + "\":1,\"" + id + "\":2}", "{\"" + id + "\":{\"seen\":1,\"seen\":2}}",
        "{\"" + id + "\":{\"token\":\"*\"}}", "{\"" + id.substr(1) + "\":1}",
        std::string("{\"a\":[[[[[]]]]]}")}) {
    const auto refused = parse_live_request(bad);
    EXPECT_TRUE(refused.has_error() && refused.error().code == Errc::malformed) << bad;
  }
  std::string many = "{";
  for (std::size_t i = 0; i <= kMaxLiveChains; ++i) {
    const auto hash = sha256_of(as_bytes(std::to_string(i)));
    many += (i == 0 ? "\"" : ",\"") + to_hex(hash) + "\":0";
  }
  EXPECT_EQ(parse_live_request(many + "}").error().code, Errc::overloaded);
}

TEST(RecentLinksTest, WithoutFollowersNothingIsRendered) {
  RecentLinks recent(2'000);
  const Bytes link(300, 1);
  recent.offer(link_id_of(link), 1, link);
  EXPECT_EQ(recent.find(link_id_of(link)), nullptr);
  {
    const RecentLinks::Follower follower(recent);
    recent.offer(link_id_of(link), 1, link);
  }
  EXPECT_NE(recent.find(link_id_of(link)), nullptr);
  const Bytes later(300, 2);
  recent.offer(link_id_of(later), 2, later);
  EXPECT_EQ(recent.find(link_id_of(later)), nullptr);
}

TEST(RecentLinksTest, OldestGiveWay) {
  RecentLinks recent(2'000);
  const RecentLinks::Follower follower(recent);
  std::vector<Bytes> links;
  for (std::uint8_t i = 0; i < 6; ++i) {
    links.emplace_back(300, i);
    recent.offer(link_id_of(links.back()), i, links.back());
  }
  EXPECT_EQ(recent.find(link_id_of(links.front())), nullptr);
  EXPECT_NE(recent.find(link_id_of(links.back())), nullptr);
  const Bytes huge(3'000, 9);
  recent.offer(link_id_of(huge), 9, huge);
  EXPECT_EQ(recent.find(link_id_of(huge)), nullptr);
  EXPECT_NE(recent.find(link_id_of(links.back())), nullptr);
}

}  // namespace
}  // namespace cairn::api
