// missing, fetch and batch.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/parse.hpp>

#include "base/block_id_text.h"
#include "crypto/hash.h"
#include "node/api/batch.h"
#include "node/api/fetch_source.h"
#include "node/api/id_list.h"
#include "node/api/upload.h"
#include "tests/node/api/api_harness.h"

namespace cairn::api {
namespace {

using http::Framing;
using http::Method;

BlockId id_of(std::string_view bytes) {
  return block_id_of(as_bytes(bytes));
}

std::string found_frame(std::string_view bytes) {
  return std::string(as_text(id_of(bytes).view())) + frame(bytes);
}

std::string marked_frame(const BlockId& id, char mark) {
  std::string out(as_text(id.view()));
  out.append(1, mark).append(3, '\xff');
  return out;
}

using Missing = ApiTest;

TEST_F(Missing, ThoseNotHeldAreNamedInOrder) {
  hold("a");
  const Answer answer = post("/v1/blocks/missing", id_list({id_of("c"), id_of("a"), id_of("b")}));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Content-Type"), "application/json");
  EXPECT_EQ(answer.body,
            "{\"missing\":[\"" + id_of("c").text() + "\",\"" + id_of("b").text() + "\"]}");
}

TEST_F(Missing, NothingAskedNothingMissing) {
  EXPECT_EQ(post("/v1/blocks/missing", "{\"ids\":[]}").body, "{\"missing\":[]}");
}

TEST_F(Missing, ThousandIdsAreTakenAndOneMoreIs413) {
  std::vector<BlockId> ids(1000, id_of("x"));
  const Answer most = post("/v1/blocks/missing", id_list(ids));
  EXPECT_EQ(most.status, 200);
  EXPECT_EQ(most.body.size(), 1000U * 67 + 13);
  ids.push_back(id_of("x"));
  const Answer more = post("/v1/blocks/missing", id_list(ids));
  EXPECT_EQ(more.status, 413);
  EXPECT_TRUE(more.is_problem("too-many"));
}

TEST_F(Missing, HugeBodyGives413Unread) {
  const Answer declared = call({.method = Method::post,
                                .target = "/v1/blocks/missing",
                                .body = "{",
                                .declared = 100'000'000});
  EXPECT_EQ(declared.status, 413);
  EXPECT_EQ(declared.read_bytes, 0U);
  const Answer chunked = call({.method = Method::post,
                               .target = "/v1/blocks/missing",
                               .body = std::string(1'000'000, ' '),
                               .framing = Framing::chunked});
  EXPECT_EQ(chunked.status, 413);
  EXPECT_LE(chunked.read_bytes, id_list_bytes(1000) + 1);
}

TEST_F(Missing, JsonTypeIsTakenLeniently) {
  const std::string body = id_list({id_of("a")});
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", ""}) {
    EXPECT_EQ(post("/v1/blocks/missing", body, {{"Content-Type", type}}).status, 200) << type;
  }
  EXPECT_EQ(post("/v1/blocks/missing", body).status, 200);
  for (const char* type :
       {"text/plain", "application/jsonx", "application/x-www-form-urlencoded"}) {
    const Answer answer = post("/v1/blocks/missing", body, {{"Content-Type", type}});
    EXPECT_EQ(answer.status, 415) << type;
    EXPECT_TRUE(answer.is_problem("wrong-content-type"));
  }
}

TEST_F(Missing, BadJsonGives400WithTheReason) {
  const Answer answer = post("/v1/blocks/missing", "{\"ids\":[1]}");
  EXPECT_EQ(answer.status, 400);
  EXPECT_TRUE(answer.is_problem("bad-json"));
  EXPECT_NE(answer.body.find("strings only"), std::string::npos);
}

TEST_F(Missing, UploadsInMemoryDoNotStopLists) {
  const ByteBudget::Share all = budget_.take(budget_.limit_bytes());
  hold("a");
  EXPECT_EQ(post("/v1/blocks/missing", id_list({id_of("a")})).status, 200);
  EXPECT_EQ(post("/v1/blocks/fetch", id_list({id_of("a")})).body, found_frame("a"));
}

TEST_F(Missing, ListTakesMemoryAsItComes) {
  ByteBudget small(20'000);
  ScriptedBody large(std::string(40'000, ' '), 1000, std::nullopt, std::nullopt);
  const auto refused = run_task(io_, read_text(large, small, 100'000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refusal, Refusal::overloaded);
  EXPECT_GE(large.read_bytes(), 4096U);
  ScriptedBody little("text", 1000, std::nullopt, std::nullopt);
  const auto taken = run_task(io_, read_text(little, small, 100'000));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken.value().text, "text");
  EXPECT_EQ(small.used_bytes(), kFirstBytes);
}

using Fetch = ApiTest;

TEST_F(Fetch, FramesComeInTheOrderAsked) {
  hold("first");
  hold("second");
  const BlockId gone = id_of("gone");
  for (const bool at_once : {true, false}) {
    store_.set_answers_at_once(at_once);
    const Answer answer =
        post("/v1/blocks/fetch", id_list({id_of("second"), gone, id_of("first"), id_of("second")}));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("Content-Type"), "application/vnd.cairn.blocks");
    EXPECT_EQ(answer.body, found_frame("second") + marked_frame(gone, '\xff') +
                               found_frame("first") + found_frame("second"));
  }
}

TEST_F(Fetch, LargeAndSmallBlocksMixedKeepTheirBytes) {
  std::vector<BlockId> ids;
  std::string expected;
  for (std::size_t i = 0; i < 60; ++i) {
    const std::string bytes((i * 7919) % kBlockLimit + 1, static_cast<char>('a' + i % 26));
    ids.push_back(hold(bytes));
    expected += found_frame(bytes);
  }
  for (const bool at_once : {true, false}) {
    store_.set_answers_at_once(at_once);
    EXPECT_EQ(post("/v1/blocks/fetch", id_list(ids)).body, expected);
  }
}

TEST_F(Fetch, NoIdsGiveAnEmptyBody) {
  EXPECT_EQ(post("/v1/blocks/fetch", "{\"ids\":[]}").body, "");
}

TEST_F(Fetch, WhatCannotBeHadIsMarkedAndNeverNotHeld) {
  const BlockId good = hold("good");
  const BlockId bad = hold("bad");
  store_.spoil(bad);
  EXPECT_EQ(post("/v1/blocks/fetch", id_list({bad, good})).body,
            marked_frame(bad, '\xfe') + found_frame("good"));
  store_.set_failure(Errc::unavailable);
  EXPECT_EQ(post("/v1/blocks/fetch", id_list({good})).body, marked_frame(good, '\xfe'));
}

TEST_F(Fetch, WithoutBudgetAheadEveryBlockStillComes) {
  hold("first");
  hold("second");
  store_.set_answers_at_once(false);
  ByteBudget little(kBlockLimit);  // Half of it, which is for blocks ahead, holds none.
  use(store_, little);
  EXPECT_EQ(post("/v1/blocks/fetch", id_list({id_of("first"), id_of("second")})).body,
            found_frame("first") + found_frame("second"));
}

class ReadAhead : public ApiTest {
 protected:
  /// Begins to take the first part of the body; true in done_ when it is there.
  static Task<void> take(FetchSource& source, bool& done) {
    const Result<ByteView> part = co_await source.next();
    done = part.has_value();
  }
  FetchSource::World world() {
    return {.store = store_,
            .clock = clock_,
            .budget = budget_,
            .reads = gate_,
            .deadline = std::chrono::seconds(10),
            .block_bytes = kBlockLimit};
  }
  void poll() {
    io_.restart();
    io_.poll();
  }

  Gate gate_;
};

TEST_F(ReadAhead, AFewBlocksAreAskedForAheadAndNoMore) {
  std::vector<BlockId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(hold(std::to_string(i)));
  store_.hold_gets();
  auto source = std::make_unique<FetchSource>(world(), ids);
  bool done = false;
  boost::asio::co_spawn(io_, take(*source, done), boost::asio::detached);
  poll();
  EXPECT_FALSE(done);
  EXPECT_EQ(store_.held_gets(), FetchSource::kAhead);
  EXPECT_EQ(budget_.used_bytes(), FetchSource::kAhead * kBlockLimit);
  store_.release_gets();
  poll();
  EXPECT_TRUE(done);
  source.reset();
  poll();
}

TEST_F(ReadAhead, ClientGoneLeavesReadsToTheGate) {
  std::vector<BlockId> ids{hold("a"), hold("b")};
  store_.set_answers_at_once(false);
  auto source = std::make_unique<FetchSource>(world(), ids);
  bool done = false;
  boost::asio::co_spawn(io_, take(*source, done), boost::asio::detached);
  poll();
  ASSERT_TRUE(done);
  store_.hold_gets();
  FetchSource late(world(), ids);
  bool late_done = false;
  boost::asio::co_spawn(io_, take(late, late_done), boost::asio::detached);
  poll();
  source.reset();
  EXPECT_EQ(gate_.inside(), 2U);
  store_.release_gets();
  poll();
  EXPECT_TRUE(late_done);
  EXPECT_EQ(gate_.inside(), 0U);
}

TEST_F(ReadAhead, ClosedGateStillServesOneByOne) {
  std::vector<BlockId> ids{hold("a"), hold("b"), hold("c")};
  store_.set_answers_at_once(false);
  EXPECT_TRUE(api_->drain(std::chrono::milliseconds(0)));
  EXPECT_EQ(post("/v1/blocks/fetch", id_list(ids)).body,
            found_frame("a") + found_frame("b") + found_frame("c"));
}

class Batch : public ApiTest {
 protected:
  /// The results as "status id?" lines.
  static std::vector<std::string> results(const Answer& answer) {
    std::vector<std::string> out;
    const auto document = boost::json::parse(answer.body);
    for (const auto& result : document.at("results").as_array()) {
      std::string line = std::to_string(result.at("status").as_int64());
      line += " " + std::to_string(result.at("size").as_int64());
      if (const auto* id = result.as_object().if_contains("id")) {
        line += std::string(" ") + id->as_string().c_str();
      }
      if (const auto* type = result.as_object().if_contains("type")) {
        line += std::string(" ") + type->as_string().c_str();
      }
      out.push_back(line);
    }
    return out;
  }
};

TEST_F(Batch, EachFrameHasItsOwnResult) {
  hold("held");
  const std::string large(kBlockLimit + 1, 'x');
  const Answer answer = post("/v1/blocks/batch",
                             frame("new") + frame("held") + frame("") + frame(large) + frame("z"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(results(answer), (std::vector<std::string>{
                                 "201 3 " + id_of("new").text(), "200 4 " + id_of("held").text(),
                                 "422 0 /problems/empty-block", "413 100001 /problems/too-large",
                                 "201 1 " + id_of("z").text()}));
  EXPECT_EQ(get(id_of("new")).body, "new");
  EXPECT_EQ(get(id_of("z")).body, "z");
  EXPECT_EQ(store_.count(), 3U);
}

TEST_F(Batch, AnyCutOfTheStreamGivesTheSame) {
  std::string body;
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < 40; ++i) {
    const std::string bytes(i * 97 + 1, static_cast<char>('a' + i % 26));
    body += frame(bytes);
    expected.push_back("201 " + std::to_string(bytes.size()) + " " + id_of(bytes).text());
  }
  for (const std::size_t part : {1U, 3U, 4U, 101U, 65536U}) {
    MemoryBlockStore fresh(clock_, Source::memory);
    use(fresh, budget_);
    const Answer answer = call({.method = Method::post,
                                .target = "/v1/blocks/batch",
                                .body = body,
                                .framing = Framing::chunked,
                                .part_bytes = part});
    EXPECT_EQ(results(answer), expected) << part;
    use(options());
  }
}

TEST_F(Batch, EmptyBodyGivesNoResults) {
  EXPECT_EQ(post("/v1/blocks/batch", "").body, "{\"results\":[]}");
}

TEST_F(Batch, BodyThatEndsWithinAFrameGives400) {
  const std::string whole = frame("hello");
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    const Answer answer = post("/v1/blocks/batch", frame("a") + whole.substr(0, cut));
    EXPECT_EQ(answer.status, 400) << cut;
    EXPECT_TRUE(answer.is_problem("bad-frames"));
  }
}

TEST_F(Batch, TooManyFramesGive413) {
  std::string body;
  for (int i = 0; i < 1000; ++i) body += frame("same");
  EXPECT_EQ(results(post("/v1/blocks/batch", body)).size(), 1000U);
  const Answer answer = post("/v1/blocks/batch", body + frame("same"));
  EXPECT_EQ(answer.status, 413);
  EXPECT_TRUE(answer.is_problem("too-many"));
}

TEST_F(Batch, BodyOverTheLimitGives413) {
  ApiOptions small = options();
  small.batch_bytes = 1000;
  use(small);
  const std::string body = frame(std::string(600, 'a')) + frame(std::string(600, 'b'));
  EXPECT_EQ(post("/v1/blocks/batch", body).read_bytes, 0U);
  EXPECT_EQ(call({.method = Method::post,
                  .target = "/v1/blocks/batch",
                  .body = body,
                  .framing = Framing::chunked})
                .status,
            413);
}

TEST_F(Batch, StoreFailuresAreEachFramesOwn) {
  for (const auto& [code, line] : {std::pair{Errc::full, "507 1 "}, {Errc::overloaded, "503 1 "}}) {
    store_.set_failure(code);
    const auto lines = results(post("/v1/blocks/batch", frame("a")));
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(lines.front().starts_with(line)) << lines.front();
  }
}

TEST_F(Batch, TightBudgetStoresInSmallerGroups) {
  const ByteBudget::Share rest = budget_.take(budget_.limit_bytes() - (64U << 10) - 150'000);
  const std::string a(90'000, 'a');
  const std::string b(90'000, 'b');
  const auto lines = results(post("/v1/blocks/batch", frame(a) + frame(b)));
  EXPECT_EQ(lines, (std::vector<std::string>{"201 90000 " + id_of(a).text(),
                                             "201 90000 " + id_of(b).text()}));
}

TEST_F(Batch, FrameHeaderAloneHoldsAlmostNothing) {
  struct Stalled final : http::BodyReader {
    explicit Stalled(const ByteBudget& budget) : budget_(budget) {}
    std::optional<std::uint64_t> length() const override { return std::nullopt; }
    Task<Result<std::size_t>> read(MutableByteView into) override {
      used_bytes_ = budget_.used_bytes();
      if (std::exchange(sent_, true)) co_return fail(Errc::unavailable, "the test wants it so");
      const std::string start = frame(std::string(kBlockLimit, 'x')).substr(0, 5);
      std::copy(start.begin(), start.end(), into.begin());
      co_return start.size();
    }
    const ByteBudget& budget_;
    bool sent_ = false;
    std::size_t used_bytes_ = 0;
  };
  Stalled body(budget_);
  BatchCall call(store_, clock_, budget_,
                 {.block_bytes = kBlockLimit,
                  .body_bytes = std::size_t{64} << 20,
                  .blocks = 1000,
                  .deadline = std::chrono::seconds(1)});
  EXPECT_TRUE(run_task(io_, call.run(body)).has_value());
  EXPECT_EQ(body.used_bytes_, 2 * kFirstBytes);
}

TEST_F(Batch, FrameOverTheBudgetIsRefusedByItself) {
  const ByteBudget::Share rest = budget_.take(budget_.limit_bytes() - kFirstBytes - 10);
  const auto lines =
      results(post("/v1/blocks/batch", frame("a") + frame(std::string(11, 'b')) + frame("c")));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].starts_with("201"));
  EXPECT_EQ(lines[1], "503 11 /problems/overloaded");
  EXPECT_TRUE(lines[2].starts_with("201"));
}

}  // namespace
}  // namespace cairn::api
