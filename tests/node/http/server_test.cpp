// The server over real loopback sockets: framing, persistence, limits, time-outs and draining.
#include "node/http/server.h"

#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <future>
#include <mutex>
#include <numeric>
#include <thread>

#include "node/http/problem.h"
#include "tests/node/http/raw_client.h"

namespace cairn::http {
namespace {

using namespace std::chrono_literals;

/// Yields `count` pieces of ten bytes, then ends, or fails where `fail_at` says.
class TenBytes final : public BodySource {
 public:
  TenBytes(int count, int fail_at, std::optional<std::uint64_t> length)
      : count_(count), fail_at_(fail_at), length_(length) {}
  std::optional<std::uint64_t> length() const override { return length_; }
  Task<Result<ByteView>> next() override {
    if (at_ == fail_at_) co_return fail(Errc::corrupt);
    if (at_++ == count_) co_return ByteView{};
    co_return as_bytes("0123456789");
  }

 private:
  int at_ = 0;
  const int count_;
  const int fail_at_;
  const std::optional<std::uint64_t> length_;
};

/// Paths say what to do; see handle() and try_handle().
class TestHandler final : public Handler {
 public:
  bool try_handle(const Request& request, Response& response) override {
    if (request.path == "/fast") {
      response.set_text(200, "text/plain", "fast:" + std::string(request.query));
      return true;
    }
    if (request.path == "/big") {
      static const std::string kBig(1 << 20, 'b');
      response.pieces.push_back(Piece::borrowed(as_bytes(kBig)));
      return true;
    }
    if (request.path == "/made") {
      response.source = std::make_unique<TenBytes>(3, -1, 30);
      return true;
    }
    if (request.path == "/kept") {
      const auto own = std::make_shared<const std::string>(kKeptBytes, 'k');
      response.pieces.push_back(Piece::shared(own, as_bytes(*own), own->size()));
      return true;
    }
    return false;
  }

  Task<void> handle(const Request& request, BodyReader& body, Response& response) override {
    if (request.path == "/echo") co_await echo(body, response);
    if (request.path == "/judge") co_await judge(body, response);
    if (request.path == "/refuse") set_problem(response, {413, "too-large", "Too large", "", ""});
    if (request.path == "/stream")
      response.source = std::make_unique<TenBytes>(3, -1, std::nullopt);
    if (request.path == "/known") response.source = std::make_unique<TenBytes>(3, -1, 30);
    if (request.path == "/short") response.source = std::make_unique<TenBytes>(3, -1, 40);
    if (request.path == "/fails") response.source = std::make_unique<TenBytes>(3, 1, std::nullopt);
    if (request.path == "/throws") throw std::runtime_error("boom");
    if (request.path == "/wait") co_await wait(response);
    if (request.path == "/path") response.set_text(200, "text/plain", std::string(request.target));
  }

  static constexpr std::size_t kKeptBytes = 1 << 20;
  std::promise<void> waiting;
  std::atomic<bool> go_on{false};

 private:
  static Task<void> echo(BodyReader& body, Response& response) {
    std::string text;
    Bytes chunk(1000);
    for (;;) {
      const auto count = co_await body.read(chunk);
      if (count.has_error()) {
        response.set_text(500, "text/plain", "body failed");
        co_return;
      }
      if (count.value() == 0) break;
      text.append(as_text(ByteView(chunk).first(count.value())));
    }
    response.set_text(200, "text/plain", std::move(text));
  }

  /// As an API does: its own problem, readable for scripts of another origin.
  static Task<void> judge(BodyReader& body, Response& response) {
    Bytes chunk(1000);
    const auto count = co_await body.read(chunk);
    const auto more = co_await body.read(chunk);
    if (count.has_value() && more.has_value()) co_return;
    const Errc code = count.has_error() ? count.error().code : more.error().code;
    const bool malformed = code == Errc::malformed;
    set_problem(response,
                {static_cast<std::uint16_t>(malformed ? 400 : 408), "own-words", "", "", ""});
    response.fields.add("Access-Control-Allow-Origin", "*");
  }

  Task<void> wait(Response& response) {
    waiting.set_value();
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(executor);
    while (!go_on) {
      timer.expires_after(1ms);
      co_await timer.async_wait(boost::asio::use_awaitable_t<Executor>{});
    }
    response.set_text(200, "text/plain", "waited");
  }
};

class RecordingAccessLog final : public AccessLog {
 public:
  struct Line {
    std::string method, path;
    int status;
    std::uint64_t body_bytes;
  };
  void record(std::size_t, const AccessRecord& record) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(
        {std::string(record.method), std::string(record.path), record.status, record.body_bytes});
  }
  std::vector<Line> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
};

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override { restart({}); }
  void TearDown() override { stop(); }

  void restart(const Limits& limits, std::size_t cores = 1) {
    stop();
    cores_ = std::make_unique<Cores>(cores, clock_);
    handler_ = std::make_unique<TestHandler>();
    access_ = std::make_unique<RecordingAccessLog>();
    server_ = std::make_unique<Server>(*cores_, *handler_, limits, answers_, log_, access_.get());
    bound_ = server_->listen("127.0.0.1:0").value();
    server_->start();
    cores_->start();
  }

  void stop() {
    if (server_) server_->close(0ms);
    if (cores_) cores_->stop();
    server_.reset();
    cores_.reset();
  }

  std::string ask(const std::string& wire) const {
    RawClient client(bound_);
    client.send(wire);
    return client.read_answer();
  }

  /// Polls until `holds`, 20 s at most.
  template <class Condition>
  static bool comes_true(const Condition& holds) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }

  SystemClock clock_;
  NullLog log_;
  ByteBudget answers_{3 * TestHandler::kKeptBytes};
  std::unique_ptr<RecordingAccessLog> access_;
  std::unique_ptr<Cores> cores_;
  std::unique_ptr<TestHandler> handler_;
  std::unique_ptr<Server> server_;
  std::string bound_;
};

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

TEST_F(ServerTest, AnswerHasFramingAndDate) {
  const std::string answer = ask(get("/fast?x"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\nDate: ")) << answer;
  EXPECT_NE(answer.find(" GMT\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nContent-Length: 6\r\n\r\nfast:x"), std::string::npos) << answer;
  EXPECT_EQ(answer.find("Connection:"), std::string::npos);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  RawClient client(bound_);
  std::string wire;
  for (int i = 0; i < 500; ++i) wire += get((i % 3 == 0 ? "/path?" : "/fast?") + std::to_string(i));
  std::thread sender([&] { client.send(wire); });
  for (int i = 0; i < 500; ++i) {
    const std::string answer = client.read_answer();
    EXPECT_TRUE(answer.ends_with((i % 3 == 0 ? "/path?" : "fast:") + std::to_string(i))) << answer;
  }
  sender.join();
}

TEST_F(ServerTest, HeadHasLengthAndNoBody) {
  RawClient client(bound_);
  client.send("HEAD /fast?abc HTTP/1.1\r\nHost: a\r\n\r\n" +
              get("/fast?z", "Connection: close\r\n"));
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 8\r\n"), std::string::npos);
  EXPECT_TRUE(client.read_all().ends_with("fast:z"));
}

TEST_F(ServerTest, BodyWithLengthIsRead) {
  const std::string body(100'000, 'x');
  const std::string answer =
      ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + body);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + body));
}

TEST_F(ServerTest, ChunkedBodyIsReadAndNextRequestIsKept) {
  RawClient client(bound_);
  const std::string big(20'000, 'y');
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n4e20\r\n" +
      big + "\r\n0\r\nTrailer: dropped\r\n\r\n" + get("/path?next"));
  EXPECT_TRUE(client.read_answer().ends_with("\r\n\r\nhello" + big));
  EXPECT_TRUE(client.read_answer().ends_with("/path?next"));
}

TEST_F(ServerTest, MalformedChunkIs400AndCloses) {
  RawClient client(bound_);
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n" +
      get("/fast?smuggled"));
  const std::string all = client.read_all();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 400 ")) << all;
  EXPECT_EQ(all.find("smuggled"), std::string::npos);
  EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos);
}

TEST_F(ServerTest, ExpectContinueIsAnsweredWhenTheBodyIsWanted) {
  RawClient client(bound_);
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_TRUE(client.read_answer().ends_with("\r\n\r\nok"));
}

TEST_F(ServerTest, ExpectContinueRefusedGetsNoContinueAndCloses) {
  RawClient client(bound_);
  client.send(
      "POST /refuse HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  const std::string all = client.read_all();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 413 ")) << all;
  EXPECT_EQ(all.find("100 Continue"), std::string::npos);
}

TEST_F(ServerTest, SmallUnreadBodyIsDiscardedAndConnectionKept) {
  RawClient client(bound_);
  client.send("POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" +
              get("/fast?n"));
  EXPECT_TRUE(client.read_answer().starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(client.read_answer().ends_with("fast:n"));
}

TEST_F(ServerTest, LargeUnreadBodyClosesAfterTheAnswer) {
  RawClient client(bound_);
  client.send("POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
  client.send(std::string(100'000, 'x'));
  client.finish_sending();
  const std::string all = client.read_all();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 413 ")) << all;
  EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos);
  EXPECT_FALSE(client.was_reset());
}

TEST_F(ServerTest, StreamOfUnknownLengthIsChunked) {
  RawClient client(bound_);
  client.send(get("/stream", "Connection: close\r\n"));
  const std::string all = client.read_all();
  EXPECT_NE(all.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_TRUE(
      all.ends_with("\r\n\r\na\r\n0123456789\r\na\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"));
}

TEST_F(ServerTest, StreamToHttp10EndsWithTheConnection) {
  RawClient client(bound_);
  client.send("GET /stream HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  const std::string all = client.read_all();
  EXPECT_EQ(all.find("chunked"), std::string::npos);
  EXPECT_TRUE(all.ends_with("\r\n\r\n012345678901234567890123456789"));
}

TEST_F(ServerTest, StreamOfKnownLengthKeepsConnection) {
  RawClient client(bound_);
  client.send(get("/known") + get("/fast?n"));
  EXPECT_TRUE(
      client.read_answer().ends_with("Content-Length: 30\r\n\r\n012345678901234567890123456789"));
  EXPECT_TRUE(client.read_answer().ends_with("fast:n"));
}

TEST_F(ServerTest, StreamOfAFastAnswerIsSent) {
  RawClient client(bound_);
  client.send(get("/fast?n") + get("/made") + get("/fast?n"));
  EXPECT_TRUE(client.read_answer().ends_with("fast:n"));
  EXPECT_TRUE(
      client.read_answer().ends_with("Content-Length: 30\r\n\r\n012345678901234567890123456789"));
  EXPECT_TRUE(client.read_answer().ends_with("fast:n"));
}

TEST_F(ServerTest, StreamThatFailsOrEndsEarlyIsCutOff) {
  for (const char* path : {"/short", "/fails"}) {
    RawClient client(bound_);
    client.send(get(path));
    const std::string all = client.read_all();
    EXPECT_FALSE(all.ends_with("0\r\n\r\n")) << path;
    EXPECT_TRUE(client.closed());
  }
  EXPECT_EQ(server_->counters().aborted, 2U);
}

TEST_F(ServerTest, ExceptionInHandlerIs500) {
  EXPECT_TRUE(ask(get("/throws")).starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(ask(get("/fast")).starts_with("HTTP/1.1 200 "));
}

TEST_F(ServerTest, RefusedHeadIsProblemAndNothingBehindItIsRead) {
  RawClient client(bound_);
  client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + get("/fast?second"));
  const std::string all = client.read_all();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 400 Bad Request\r\n")) << all;
  EXPECT_NE(all.find("application/problem+json"), std::string::npos);
  EXPECT_EQ(all.find("second"), std::string::npos);
  EXPECT_EQ(server_->counters().refused_heads, 1U);
}

TEST_F(ServerTest, RefusalNamesANextStepAndWhatIsAllowed) {
  const std::string bad_line = ask("GET /\r\n\r\n");
  EXPECT_NE(bad_line.find("\"hint\":\"Write it as METHOD TARGET HTTP/1.1.\""), std::string::npos)
      << bad_line;
  const std::string trace = ask("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(trace.find("\r\nAllow: GET, HEAD, PUT, POST, OPTIONS\r\n"), std::string::npos) << trace;
}

TEST_F(ServerTest, RefusedHeadRequestGetsNoBody) {
  for (const char* rest : {"\r\n\r\n", " HTTP/1.1\r\n\r\n", " HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"}) {
    RawClient client(bound_);
    client.send("HEAD /" + std::string(rest));
    const std::string all = client.read_all();
    EXPECT_TRUE(all.starts_with("HTTP/1.1 400 ")) << all;
    EXPECT_TRUE(all.ends_with("\r\n\r\n")) << all;
  }
}

TEST_F(ServerTest, HandlersOwnRefusalOfABodyIsSent) {
  Limits limits;
  limits.body_timeout = 1ms;
  restart(limits);
  const std::string head = "POST /judge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const auto& [body, status] : {std::pair{"nonsense\r\n", "400"}, {"5\r\nhel", "408"}}) {
    RawClient client(bound_);
    client.send(head + body);
    const std::string all = client.read_all();
    EXPECT_TRUE(all.starts_with(std::string("HTTP/1.1 ") + status)) << all;
    EXPECT_NE(all.find("/problems/own-words"), std::string::npos) << all;
    EXPECT_NE(all.find("\r\nAccess-Control-Allow-Origin: *\r\n"), std::string::npos) << all;
    EXPECT_NE(all.find("\r\nConnection: close\r\n"), std::string::npos) << all;
  }
}

TEST_F(ServerTest, NewConnectionHasTheTimeOfAHead) {
  Limits limits;
  limits.head_timeout = 1ms;
  restart(limits);
  RawClient silent(bound_);
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(server_->counters().timeouts, 1U);
}

TEST_F(ServerTest, SlowHeadIs408AndIdleConnectionIsClosed) {
  Limits limits;
  limits.head_timeout = 1ms;
  limits.idle_timeout = 1ms;
  restart(limits);
  RawClient slow(bound_);
  slow.send("GET / HTT");
  EXPECT_TRUE(slow.read_all().starts_with("HTTP/1.1 408 "));
  RawClient idle(bound_);
  EXPECT_EQ(idle.read_all(), "");
}

TEST_F(ServerTest, SlowBodyIs408) {
  Limits limits;
  limits.body_timeout = 1ms;
  restart(limits);
  RawClient client(bound_);
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhal");
  EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 408 "));
}

TEST_F(ServerTest, ReaderThatStopsReadingIsCutOff) {
  Limits limits;
  limits.write_timeout = 1ms;
  restart(limits);
  RawClient client(bound_);
  std::string wire;
  for (int i = 0; i < 40; ++i) wire += get("/big");
  client.send(wire);
  EXPECT_TRUE(comes_true([&] { return server_->counters().aborted == 1; }));
  EXPECT_LT(client.read_all().size(), 40U << 20);
}

TEST_F(ServerTest, AnswerIsAccountedForWhenItIsSent) {
  Limits limits;
  limits.write_timeout = 1ms;
  restart(limits);
  RawClient client(bound_);
  for (int i = 0; i < 40; ++i) client.send(get("/big?secret"));
  ASSERT_TRUE(comes_true([&] { return server_->counters().aborted == 1; }));
  const auto lines = access_->lines();
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back().status, 0);
  EXPECT_EQ(lines.back().path, "/big");
  EXPECT_LT(lines.back().body_bytes, 1U << 20);
  const auto counters = server_->counters();
  EXPECT_EQ(counters.by_class[2], lines.size() - 1);
  EXPECT_EQ(std::accumulate(counters.latency.begin(), counters.latency.end(), 0U),
            lines.size() - 1);
}

TEST_F(ServerTest, StreamIsAccountedForAtItsEnd) {
  RawClient client(bound_);
  client.send(get("/known") + get("/stream") + get("/fast?abc", "Connection: close\r\n"));
  client.read_all();
  ask(get("/short"));
  const auto lines = access_->lines();
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].body_bytes, 30U);
  EXPECT_EQ(lines[1].body_bytes, 30U);
  EXPECT_EQ(lines[2].body_bytes, 8U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(lines[i].status, 200);
  EXPECT_EQ(lines[3].status, 0);
}

TEST_F(ServerTest, RefusedHeadHasNoMethodAndNoLatency) {
  ask("PUT /x HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(comes_true([&] { return access_->lines().size() == 1; }));
  EXPECT_EQ(access_->lines()[0].method, "");
  EXPECT_EQ(access_->lines()[0].status, 400);
  const auto counters = server_->counters();
  EXPECT_EQ(counters.by_class[4], 1U);
  EXPECT_EQ(std::accumulate(counters.latency.begin(), counters.latency.end(), 0U), 0U);
}

TEST_F(ServerTest, AnswersOverTheBudgetCutOffTheLongestBlocked) {
  std::vector<std::unique_ptr<RawClient>> stalled;
  for (std::size_t kept : {1U, 2U}) {
    stalled.push_back(std::make_unique<RawClient>(bound_));
    for (int i = 0; i < 40; ++i) stalled.back()->send(get("/kept"));
    ASSERT_TRUE(
        comes_true([&] { return answers_.used_bytes() >= kept * TestHandler::kKeptBytes; }));
  }
  RawClient reader(bound_);
  for (int i = 0; i < 40; ++i) reader.send(get("/kept"));
  ASSERT_TRUE(comes_true([&] { return server_->counters().aborted == 1; }));
  stalled.front()->read_all();
  EXPECT_TRUE(stalled.front()->was_reset());
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(reader.read_answer().ends_with("kkkk"));
  }
  stalled.clear();
  EXPECT_TRUE(comes_true([&] { return answers_.used_bytes() == 0; }));
}

TEST_F(ServerTest, LongestIdleMakesRoomForANewConnection) {
  Limits limits;
  limits.connections = 2;
  for (const std::size_t cores : {1U, 2U}) {
    restart(limits, cores);
    RawClient silent(bound_);
    RawClient idle(bound_);
    idle.send(get("/fast"));
    idle.read_answer();
    for (int i = 0; i < 2; ++i) {
      RawClient fresh(bound_);
      fresh.send(get("/fast"));
      EXPECT_TRUE(fresh.read_answer().starts_with("HTTP/1.1 200 "));
    }
    EXPECT_EQ(server_->counters().refused_connections, 0U);
    EXPECT_GE(server_->counters().idle_closed, 1U);
    if (cores == 1) {
      EXPECT_EQ(silent.read_all(), "");
    }
  }
}

TEST_F(ServerTest, ConnectionsOverTheLimitGet503WithRetryAfter) {
  Limits limits;
  limits.connections = 1;
  restart(limits);
  RawClient first(bound_);
  first.send(get("/wait"));
  handler_->waiting.get_future().wait();
  RawClient second(bound_);
  const std::string answer = second.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("Retry-After: 1\r\n"), std::string::npos);
  const std::size_t body = answer.find("\r\n\r\n") + 4;
  EXPECT_NE(answer.find("Content-Length: " + std::to_string(answer.size() - body) + "\r\n"),
            std::string::npos);
  handler_->go_on = true;
  EXPECT_TRUE(first.read_answer().starts_with("HTTP/1.1 200 "));
}

TEST_F(ServerTest, ConnectionsOfOneClientOverItsLimitGet429) {
  Limits limits;
  limits.connections_per_client = 1;
  restart(limits);
  RawClient first(bound_);
  first.send(get("/fast"));
  first.read_answer();
  RawClient second(bound_);
  const std::string answer = second.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 429 ")) << answer;
  const std::size_t body = answer.find("\r\n\r\n") + 4;
  EXPECT_NE(answer.find("Content-Length: " + std::to_string(answer.size() - body) + "\r\n"),
            std::string::npos);
}

TEST_F(ServerTest, CloseLetsTheAnswerUnderWayFinish) {
  RawClient busy(bound_);
  RawClient idle(bound_);
  idle.send(get("/fast"));
  idle.read_answer();
  busy.send(get("/wait"));
  handler_->waiting.get_future().wait();
  bool closed = false;
  std::thread closing([this, &closed] { closed = server_->close(20s); });
  EXPECT_EQ(idle.read_all(), "");
  handler_->go_on = true;
  const std::string answer = busy.read_all();
  closing.join();
  EXPECT_TRUE(closed);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  EXPECT_FALSE(RawClient(bound_).connected());
}

TEST_F(ServerTest, ManyClientsOnTwoCoresAreAllAnswered) {
  restart({}, 2);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this] {
      RawClient client(bound_);
      for (int i = 0; i < 200; ++i) {
        client.send(get("/path?" + std::to_string(i)));
        EXPECT_TRUE(client.read_answer().ends_with("/path?" + std::to_string(i)));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(server_->counters().requests, 1600U);
}

TEST_F(ServerTest, ListenErrorsSayWhatToDo) {
  const auto again = server_->listen(bound_);
  EXPECT_EQ(again.error().code, Errc::conflict);
  EXPECT_NE(again.error().detail.find("in use"), std::string::npos);
  for (const char* bad :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "::1:80", "a:80"}) {
    EXPECT_EQ(server_->listen(bad).error().code, Errc::malformed) << bad;
  }
}

}  // namespace
}  // namespace cairn::http
