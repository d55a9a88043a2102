#include "node/http/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <charconv>
#include <exception>
#include <future>
#include <optional>
#include <unordered_set>

#include "base/assert.h"
#include "base/timer.h"

namespace cairn::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// A whole answer for a connection that gets no handler.
std::string turned_away(std::string_view status_line, std::string_view body) {
  std::string answer = "HTTP/1.1 ";
  answer.append(status_line);
  answer.append(
      "\r\nRetry-After: 1\r\nConnection: close\r\nCache-Control: no-store\r\n"
      "Content-Type: application/problem+json\r\nContent-Length: ");
  answer.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return answer;
}

const std::string& too_many_connections() {
  static const std::string kAnswer = turned_away(
      "503 Service Unavailable",
      R"({"type":"/problems/too-many-connections","title":"The server is full","status":503,)"
      R"("hint":"Try again after the time that Retry-After says."})");
  return kAnswer;
}

const std::string& too_many_of_client() {
  static const std::string kAnswer = turned_away(
      "429 Too Many Requests", R"({"type":"/problems/too-many-connections",)"
                               R"("title":"Too many connections of one client","status":429,)"
                               R"("hint":"Close one, or send several requests over one."})");
  return kAnswer;
}

Result<tcp::endpoint> parse_address(const std::string& address) {
  const Error malformed =
      fail(Errc::malformed,
           "'" + address + "' is no listen address; write it as 127.0.0.1:8080 or [::1]:8080");
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return malformed;
  std::string host = address.substr(0, colon);
  const std::string port_text = address.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, bad] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (bad != std::errc{} || end != port_text.data() + port_text.size()) return malformed;
  if (host == "*") host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(host, error);
  if (error || ip.is_v6() != bracketed) return malformed;
  return tcp::endpoint(ip, port);
}

std::string text_of(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
}

Error listen_error(const std::string& address, const boost::system::error_code& error) {
  if (error == asio::error::address_in_use) {
    return fail(Errc::conflict,
                address + " is in use by another program; stop it or choose another port");
  }
  if (error == asio::error::access_denied) {
    return fail(Errc::denied, "no right to listen on " + address + "; choose a port above 1023");
  }
  return fail(Errc::unavailable, "cannot listen on " + address + ": " + error.message());
}

}  // namespace

/// Touched by its core's thread only, but for `load`.
struct Server::PerCore {
  PerCore(Core& its_core, Handler& handler, const Limits& limits, ByteBudget& answers,
          AccessLog* access_log)
      : core(its_core),
        memory(answers),
        context{core, handler, limits, counters, access_log, exchanges, memory, idle, blocked} {}

  Core& core;
  CoreCounters counters;
  AnswerMemory memory;
  ExchangePool exchanges;
  WaitList idle;
  WaitList blocked;
  ConnectionContext context;
  std::unordered_set<Connection*> connections;
  std::atomic<std::size_t> load{0};  ///< Connections given to this core and not yet gone.
};

/// One connection of one client, counted while it lives.
class Server::ClientShare {
 public:
  ClientShare() = default;
  ClientShare(Server* server, std::string client) : server_(server), client_(std::move(client)) {}
  ClientShare(ClientShare&& other) noexcept
      : server_(std::exchange(other.server_, nullptr)), client_(std::move(other.client_)) {}
  ClientShare& operator=(ClientShare&& other) noexcept {
    std::swap(server_, other.server_);
    std::swap(client_, other.client_);
    return *this;
  }
  ~ClientShare() {
    if (server_ == nullptr) return;
    const std::lock_guard lock(server_->clients_mutex_);
    const auto it = server_->clients_.find(client_);
    if (--it->second == 0) server_->clients_.erase(it);
  }

 private:
  Server* server_ = nullptr;
  std::string client_;
};

Server::Server(Cores& cores, Handler& handler, const Limits& limits, ByteBudget& answers, Log& log,
               AccessLog* access_log)
    : cores_(cores), limits_(limits), log_(log) {
  for (std::size_t i = 0; i < cores.count(); ++i) {
    per_core_.push_back(std::make_unique<PerCore>(cores[i], handler, limits_, answers, access_log));
  }
}

Server::~Server() {
  CAIRN_ASSERT(gate_.inside() == 0);
}

Result<std::string> Server::listen(const std::string& address) {
  CAIRN_TRY(const auto endpoint, parse_address(address));
  auto acceptor = std::make_unique<Acceptor>(cores_[0].executor());
  boost::system::error_code error;
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(asio::socket_base::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor->set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) return listen_error(address, error);
  const auto bound = acceptor->local_endpoint(error);
  if (error) return listen_error(address, error);
  acceptors_.push_back(std::move(acceptor));
  return text_of(bound);
}

void Server::start() {
  for (auto& acceptor : acceptors_) {
    asio::co_spawn(cores_[0].executor(), accept_loop(*acceptor),
                   [this, pass = gate_.enter()](const std::exception_ptr& bug) {
                     if (bug) log_.event(LogLevel::error, "accept_loop_failed");
                   });
  }
}

Task<void> Server::accept_loop(Acceptor& acceptor) {
  while (!closed_) {
    PerCore& target = least_busy();
    auto [error, socket] =
        co_await acceptor.async_accept(target.core.executor(), asio::as_tuple(kAwait));
    if (closed_) break;
    if (!error) {
      co_await admit(target, std::move(socket));
    } else if (error != asio::error::connection_aborted) {
      // Out of descriptors or memory: what is open goes on, and accepting is tried again soon.
      log_.event(LogLevel::warn, "accept_failed", {{"reason", std::string_view(error.message())}});
      co_await pause();
    }
  }
}

Task<void> Server::pause() {
  Timer timer(cores_[0].executor(), std::chrono::milliseconds(100));
  co_await timer.async_wait(asio::as_tuple(kAwait));
}

Server::PerCore& Server::least_busy() {
  PerCore* best = per_core_.front().get();
  for (auto& candidate : per_core_) {
    if (candidate->load.load(std::memory_order_relaxed) <
        best->load.load(std::memory_order_relaxed)) {
      best = candidate.get();
    }
  }
  return *best;
}

bool Server::full() const {
  std::size_t open = 0;
  for (const auto& core : per_core_) open += core->load.load(std::memory_order_relaxed);
  return open >= limits_.connections;
}

Task<bool> Server::close_longest_idle(PerCore& core) {
  co_return Connection::close_longest_idle(core.context);
}

Task<bool> Server::make_room() {
  for (auto& core : per_core_) {
    const bool closed =
        co_await asio::co_spawn(core->core.executor(), close_longest_idle(*core), kAwait);
    if (closed) co_return true;
  }
  co_return false;
}

Task<void> Server::admit(PerCore& target, Socket socket) {
  boost::system::error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error) co_return;
  std::string peer = remote.address().to_string();
  auto share = take_share(peer);
  if (!share) co_return turn_away(std::move(socket), too_many_of_client());
  bool room = !full();
  if (!room) room = co_await make_room();
  if (!room) co_return turn_away(std::move(socket), too_many_connections());
  Gate::Pass pass = gate_.enter();
  if (!pass) co_return;
  socket.non_blocking(true, error);
  socket.set_option(tcp::no_delay(true), error);
  target.load.fetch_add(1, std::memory_order_relaxed);
  // The pass goes last: with it the server may be destroyed.
  asio::co_spawn(target.core.executor(), serve(target, std::move(socket), std::move(peer)),
                 [this, &target, pass = std::move(pass),
                  share = std::move(*share)](const std::exception_ptr& bug) {
                   if (bug) log_.event(LogLevel::error, "connection_failed");
                   target.load.fetch_sub(1, std::memory_order_relaxed);
                 });
}

std::optional<Server::ClientShare> Server::take_share(const std::string& client) {
  if (limits_.connections_per_client == 0) return ClientShare();
  const std::lock_guard lock(clients_mutex_);
  std::size_t& count = clients_[client];
  if (count >= limits_.connections_per_client) return std::nullopt;
  ++count;
  return ClientShare(this, client);
}

void Server::turn_away(Socket socket, std::string_view answer) {
  refused_.fetch_add(1, std::memory_order_relaxed);
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(answer), ignored);
  socket.shutdown(Socket::shutdown_both, ignored);
}

Task<void> Server::serve(PerCore& core, Socket socket, std::string peer) {
  Connection connection(core.context, std::move(socket), std::move(peer));
  core.connections.insert(&connection);
  core.counters.accepted.add();
  core.counters.active.add();
  if (closed_) connection.drain();
  std::exception_ptr bug;
  try {
    co_await connection.serve();
  } catch (...) {
    bug = std::current_exception();
  }
  core.counters.active.subtract();
  core.connections.erase(&connection);
  if (bug) std::rethrow_exception(bug);
}

void Server::on_every_core(void (Connection::*act)()) {
  std::vector<std::future<void>> done;
  for (auto& per_core : per_core_) {
    auto finished = std::make_shared<std::promise<void>>();
    done.push_back(finished->get_future());
    asio::post(per_core->core.executor(), [core = per_core.get(), act, finished] {
      for (Connection* connection : core->connections) (connection->*act)();
      finished->set_value();
    });
  }
  for (auto& future : done) future.wait();
}

bool Server::close(std::chrono::milliseconds wait) {
  if (closed_.exchange(true)) return true;
  std::promise<void> refusing;
  asio::post(cores_[0].executor(), [this, &refusing] {
    boost::system::error_code ignored;
    for (auto& acceptor : acceptors_) acceptor->close(ignored);
    refusing.set_value();
  });
  refusing.get_future().wait();
  gate_.close();
  on_every_core(&Connection::drain);
  if (gate_.wait_empty(wait)) return true;
  on_every_core(&Connection::abort);
  // What still runs is a handler that waits for a store, which ends by its deadline.
  while (!gate_.wait_empty(std::chrono::seconds(1))) {
    log_.event(LogLevel::warn, "waiting_for_requests",
               {{"requests", std::uint64_t{gate_.inside()}}});
  }
  return false;
}

void CountersSnapshot::add(const CoreCounters& core) {
  accepted += core.accepted.get();
  active += core.active.get();
  requests += core.requests.get();
  refused_heads += core.refused_heads.get();
  timeouts += core.timeouts.get();
  aborted += core.aborted.get();
  idle_closed += core.idle_closed.get();
  bytes_in += core.bytes_in.get();
  bytes_out += core.bytes_out.get();
  latency_sum_us += core.latency_sum_us.get();
  for (std::size_t i = 0; i < by_class.size(); ++i) by_class[i] += core.by_class[i].get();
  for (std::size_t i = 0; i < latency.size(); ++i) latency[i] += core.latency[i].get();
}

CountersSnapshot Server::counters() const {
  CountersSnapshot sum;
  for (const auto& per_core : per_core_) sum.add(per_core->counters);
  sum.refused_connections = refused_.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace cairn::http
