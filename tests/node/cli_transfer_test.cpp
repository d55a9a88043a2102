// The command line's transfers against servers that die, stall and dawdle.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <functional>
#include <mutex>
#include <sstream>
#include <thread>

#include "base/timer.h"
#include "node/cli/block_transfer.h"
#include "tests/fakes/run_task.h"
#include "tests/fakes/temporary_directory.h"

namespace cairn::cli {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::SizeIs;

namespace asio = boost::asio;
namespace http = boost::beast::http;

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
constexpr auto kTuple = asio::as_tuple(kAwait);

/// A server on a loopback port and a thread of its own; `serve` is what it does with a connection.
class LoopbackServer {
 public:
  using Serve = std::function<Task<void>(LoopbackServer&, Socket)>;

  explicit LoopbackServer(Serve serve)
      : serve_(std::move(serve)), acceptor_(loop_, asio::ip::tcp::v4()) {
    // Small, so that what the client has sent is about what was read.
    acceptor_.set_option(asio::socket_base::receive_buffer_size(kSliceBytes));
    acceptor_.bind({asio::ip::address_v4::loopback(), 0});
    acceptor_.listen();
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(loop_, accept(), asio::detached);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~LoopbackServer() {
    loop_.stop();
    thread_.join();
  }

  ServerAddress address() const {
    return parse_server("http://127.0.0.1:" + std::to_string(port_)).value();
  }
  /// Refuses everything from now on. On the server's thread.
  void die() { acceptor_.close(); }

  static constexpr int kSliceBytes = 64 << 10;
  std::atomic<int> answers_left{1'000'000};

 private:
  Task<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(kTuple);
      if (error) co_return;
      asio::co_spawn(loop_, serve_(*this, std::move(socket)), asio::detached);
    }
  }

  const Serve serve_;
  IoContext loop_{1};
  Acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// As many lines as there are.
std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

/// Answers as a node that holds nothing, until answers_left is used up; then it is gone.
Task<void> serve_until_death(LoopbackServer& server, Socket socket) {
  boost::beast::flat_buffer buffer;
  for (;;) {
    http::request<http::string_body> request;
    auto [broken, got] = co_await http::async_read(socket, buffer, request, kTuple);
    if (broken) co_return;
    if (--server.answers_left < 0) {
      server.die();
      co_return;
    }
    const bool asks = request.method() == http::verb::post;
    http::response<http::string_body> answer(asks ? http::status::ok : http::status::created, 11);
    answer.body() = request.body();
    if (asks) answer.body().replace(answer.body().find("\"ids\""), 5, "\"missing\"");
    if (!asks) answer.body().clear();
    answer.prepare_payload();
    auto [unsent, sent] = co_await http::async_write(socket, answer, kTuple);
    if (unsent) co_return;
  }
}

class PutToADyingServer : public ::testing::TestWithParam<int> {};

TEST_P(PutToADyingServer, RunEndsWithTheFirstFailureAndFour) {
  const TemporaryDirectory directory;
  for (int i = 100; i < 300; ++i) {
    std::ofstream(directory.path() / std::to_string(i)) << "block " << i;
  }
  LoopbackServer server(serve_until_death);
  server.answers_left = GetParam();
  TransferOptions options{server.address(), 1, 1024};
  options.patience = milliseconds(50);
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  World world{in, out, err, false, false, {}};
  EXPECT_EQ(put_paths(options, {directory.path().string()}, world), Exit::unreachable);
  EXPECT_THAT(lines(err.str()), SizeIs(1)) << err.str();
  EXPECT_THAT(err.str(), HasSubstr("/1"));
}

// 64 blocks go one by one, then groups of eight: 64 dies as it is asked what it lacks, 67 in a
// group.
INSTANTIATE_TEST_SUITE_P(Put, PutToADyingServer, ::testing::Values(20, 64, 67));

/// Standard input whose second block comes only when the transfer of the first has begun.
class PatientInput final : public std::streambuf {
 public:
  void begun() {
    const std::lock_guard lock(mutex_);
    begun_ = true;
    wake_.notify_all();
  }
  bool came_in_time() const { return in_time_; }

 protected:
  int_type underflow() override {
    if (++reads_ == 2) {
      std::unique_lock lock(mutex_);
      in_time_ = wake_.wait_for(lock, std::chrono::seconds(10), [this] { return begun_; });
    }
    if (reads_ > 2) return traits_type::eof();
    setg(block_.data(), block_.data(), block_.data() + block_.size());
    return traits_type::to_int_type(block_.front());
  }

 private:
  std::string block_ = "12345678";
  int reads_ = 0;
  bool begun_ = false;
  bool in_time_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
};

TEST(Put, SlowProducerHoldsUpNoTransfer) {
  PatientInput input;
  LoopbackServer server([&input](LoopbackServer& self, Socket socket) {
    input.begun();
    return serve_until_death(self, std::move(socket));
  });
  std::istream in(&input);
  std::ostringstream out;
  std::ostringstream err;
  World world{in, out, err, false, false, {}};
  EXPECT_EQ(put_paths({server.address(), 2, 8}, {"-"}, world), Exit::ok);
  EXPECT_TRUE(input.came_in_time());
  EXPECT_THAT(lines(out.str()), SizeIs(2)) << err.str();
}

constexpr milliseconds kStall{500};
constexpr milliseconds kSlicePause{50};
/// More than a second in all: each slice is far within kStall, all of them are not.
constexpr int kSlices = 24;

Task<void> pause() {
  const Executor executor = co_await asio::this_coro::executor;
  Timer timer(executor, kSlicePause);
  co_await timer.async_wait(kTuple);
}

Task<void> read_slowly(LoopbackServer&, Socket socket) {
  std::vector<char> slice(LoopbackServer::kSliceBytes);
  std::size_t left = std::size_t{kSlices} * slice.size();
  while (left > 0) {
    co_await pause();
    auto [broken, got] = co_await socket.async_read_some(asio::buffer(slice), kTuple);
    if (broken) co_return;
    left -= std::min(left, got);
  }
  const std::string answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
  co_await asio::async_write(socket, asio::buffer(answer), kTuple);
}

Task<void> answer_slowly(LoopbackServer&, Socket socket) {
  std::string piece = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSlices) + "\r\n\r\n";
  for (int i = 0; i <= kSlices; ++i) {
    auto [unsent, sent] = co_await asio::async_write(socket, asio::buffer(piece), kTuple);
    if (unsent) co_return;
    co_await pause();
    piece = "x";
  }
}

Task<void> answer_never(LoopbackServer&, Socket socket) {
  std::string request(4096, '\0');
  for (;;) {
    auto [broken, got] = co_await socket.async_read_some(asio::buffer(request), kTuple);
    if (broken) co_return;
  }
}

Result<Reply> send_to(const LoopbackServer& server, const Call& call) {
  IoContext loop(1);
  const ServerAddress address = server.address();
  HttpClient client(loop.get_executor(), address, kStall);
  return run_task(loop, client.send(call));
}

TEST(HttpClient, SlowUploadIsNoStall) {
  const LoopbackServer server(read_slowly);
  const Bytes body(std::size_t{kSlices} * LoopbackServer::kSliceBytes);
  const auto reply = send_to(server, {http::verb::put, "/", "text/plain", body});
  ASSERT_TRUE(reply) << reply.error().detail;
  EXPECT_EQ(reply.value().status, 201U);
}

TEST(HttpClient, SlowAnswerIsNoStall) {
  const LoopbackServer server(answer_slowly);
  const auto reply = send_to(server, {http::verb::get, "/", {}, {}});
  ASSERT_TRUE(reply) << reply.error().detail;
  EXPECT_THAT(reply.value().body, SizeIs(kSlices));
}

TEST(HttpClient, SilenceIsAStall) {
  const LoopbackServer server(answer_never);
  const auto reply = send_to(server, {http::verb::get, "/", {}, {}});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::unavailable);
  EXPECT_THAT(reply.error().detail, HasSubstr("timed out"));
}

}  // namespace
}  // namespace cairn::cli
