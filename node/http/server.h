// Server: listeners, admission, and the connections of every core. One for the sites, one for the
// operator.
#pragma once

#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/budget.h"
#include "base/gate.h"
#include "base/log.h"
#include "base/result.h"
#include "node/http/access_log.h"
#include "node/http/connection.h"
#include "node/http/cores.h"
#include "node/http/counters.h"
#include "node/http/handler.h"
#include "node/http/limits.h"

namespace cairn::http {

/// Made, listening and started by the composition's thread; close() before the cores stop.
class Server {
 public:
  /// All references outlive the server; `access_log` may be null. `answers` bounds what answers
  /// keep in memory while their clients do not take them: beyond it, of a core's connections the
  /// one that has stood still longest is cut off.
  Server(Cores& cores, Handler& handler, const Limits& limits, ByteBudget& answers, Log& log,
         AccessLog* access_log);
  /// close() must have been called.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds "ADDRESS:PORT" ("127.0.0.1:8080", "[::1]:0", "localhost:80", "*:80" for every IPv4
  /// address) and returns what was bound, with the chosen port. Errors: malformed, conflict (in
  /// use), denied (no right), unavailable (anything else).
  Result<std::string> listen(const std::string& address);

  /// Starts to accept. The cores run or will run.
  void start();

  /// Refuses new connections, ends idle ones, lets answers under way finish for `wait`, cuts off
  /// the rest and waits until all are gone. Blocks the calling thread, which is no core's. True
  /// when nothing had to be cut off. Later calls do nothing.
  bool close(std::chrono::milliseconds wait);

  /// Any thread.
  CountersSnapshot counters() const;

 private:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
  struct PerCore;
  class ClientShare;

  Task<void> accept_loop(Acceptor& acceptor);
  Task<void> pause();
  Task<void> admit(PerCore& target, Socket socket);
  bool full() const;
  /// Ends an idle connection of any core; false when none is idle.
  Task<bool> make_room();
  static Task<bool> close_longest_idle(PerCore& core);
  void turn_away(Socket socket, std::string_view answer);
  /// Nothing when this client has as many connections as it may.
  std::optional<ClientShare> take_share(const std::string& client);
  Task<void> serve(PerCore& core, Socket socket, std::string peer);
  PerCore& least_busy();
  void on_every_core(void (Connection::*act)());

  Cores& cores_;
  const Limits limits_;
  Log& log_;
  std::vector<std::unique_ptr<PerCore>> per_core_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::mutex clients_mutex_;
  std::unordered_map<std::string, std::size_t> clients_;  ///< Connections by address, when limited.
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<bool> closed_{false};
  Gate gate_;
};

}  // namespace cairn::http
