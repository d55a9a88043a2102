// Connection: one HTTP/1.1 connection on one core, from accept to close (RFC 9112). One coroutine
// reads heads, asks the handler and writes answers in order; the core's wheel bounds every wait.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/task.h"
#include "node/http/access_log.h"
#include "node/http/answer_memory.h"
#include "node/http/cores.h"
#include "node/http/counters.h"
#include "node/http/exchange.h"
#include "node/http/handler.h"
#include "node/http/input.h"
#include "node/http/limits.h"
#include "node/http/request_gate.h"

namespace cairn::http {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

/// A connection's place in one of its core's lists of those that wait; left by destruction.
struct WaitLink
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
};
/// The one that has waited longest stands first.
using WaitList = boost::intrusive::list<WaitLink, boost::intrusive::constant_time_size<false>>;

/// What all connections of one server on one core share. Outlives them.
struct ConnectionContext {
  Core& core;
  Handler& handler;
  const Limits& limits;
  CoreCounters& counters;
  AccessLog* access_log;  ///< May be null.
  ExchangePool& exchanges;
  AnswerMemory& memory;
  WaitList& idle;     ///< Between requests, or before the first.
  WaitList& blocked;  ///< With answers that the client does not take.
};

class RequestBody;

class Connection final : private TimerWheel::Timer, private WaitLink {
 public:
  Connection(ConnectionContext& context, Socket socket, std::string peer);
  ~Connection() override;

  /// Serves until the connection ends. Runs on the connection's core; the Connection outlives it.
  Task<void> serve();

  /// Ends after the answer under way; at once when none is. This core's thread.
  void drain();
  /// Ends now. This core's thread.
  void abort();

  /// Ends the connection that has been idle longest; false when none is idle. That core's thread.
  static bool close_longest_idle(ConnectionContext& context);

 private:
  friend class RequestBody;

  enum class Wait : std::uint8_t { none, idle, head, body, write, linger };
  enum class HeadState : std::uint8_t { incomplete, ready, refused };

  void expired() override;
  void arm(Wait wait, std::chrono::milliseconds limit);

  HeadState next_head();
  /// `head`: what has come of it.
  void refuse(const Refusal& refusal, std::string_view head);
  Task<bool> receive();
  Task<void> answer_slowly();
  void keep_head();
  Task<void> discard_body(RequestBody& body);
  void write_head(std::optional<std::uint64_t> body_bytes, bool chunked);
  void queue_answer();
  /// Sends all that is queued; false when the connection broke, was too slow, or had to make room,
  /// and then it is aborted. `transfer` and `source`, when given, are of the answer that this is a
  /// part of.
  Task<bool> flush(Transfer* transfer = nullptr, const BodySource* source = nullptr);
  /// Makes room for what is queued where others have stood still for longer; false when none have.
  bool hold_answer(const BodySource* source);
  Task<void> send_source();
  void queue_source_bytes(ByteView bytes, bool chunked);
  Account account(std::uint64_t body_bytes) const;
  /// Settles the accounts of the queued answers, of which the kernel has `sent_bytes`.
  void settle(std::size_t sent_bytes);
  void settle(const Account& account, bool complete, MonoTime now);
  Task<void> linger();

  Exchange& exchange();
  Request& request() { return exchange().request; }
  Response& response() { return exchange().response; }

  ConnectionContext& context_;
  Socket socket_;
  const std::string peer_;
  Input input_;
  std::unique_ptr<Exchange> exchange_;
  std::string_view head_;    ///< The present request's head, in input_.
  std::size_t scanned_ = 0;  ///< Unread input that scan_head has seen.
  Wait wait_ = Wait::none;
  bool timed_out_ = false;
  bool greeted_ = false;       ///< A whole head has come.
  bool waiting_idle_ = false;  ///< Suspended without a request: may be closed without harm.
  bool closing_ = false;       ///< Close after the answer under way.
  bool lingering_ = false;     ///< The client may still be sending when the connection closes.
  bool broken_ = false;        ///< The peer is gone or was cut off.
};

}  // namespace cairn::http
