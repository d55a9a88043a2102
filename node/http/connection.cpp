#include "node/http/connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <charconv>
#include <exception>
#include <limits>

#include "node/http/head_parser.h"
#include "node/http/problem.h"
#include "node/http/request_body.h"

namespace cairn::http {
namespace {

namespace asio = boost::asio;

constexpr auto kTuple = asio::as_tuple(kAwait);
/// Answers to pipelined requests are gathered up to this size, or up to so much memory that they
/// keep, before they are sent.
constexpr std::size_t kGatherBytes = 64 * 1024;
/// A rest of a body up to this size is read and dropped rather than the connection closed.
constexpr std::uint64_t kDiscardBytes = 64 * 1024;
/// How long and how much a closing connection still reads, so that the client gets the answer
/// before a reset.
constexpr std::chrono::milliseconds kLingerTime{2000};
constexpr std::uint64_t kLingerBytes = 256 * 1024;

constexpr Refusal kSlowHead{408, "the request head came too slowly", "Send it in one go."};
/// What one or another target takes.
constexpr std::string_view kMethods = "GET, HEAD, PUT, POST, OPTIONS";

Problem problem_of(const Refusal& refusal) {
  return {refusal.status, "bad-request", "The request was refused", refusal.reason, refusal.hint};
}

bool bodiless(std::uint16_t status) {
  return status < 200 || status == 204 || status == 304;
}

template <class Number>
void append_number(Output& output, Number number, int base = 10) {
  std::array<char, 24> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  output.append(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
}

}  // namespace

Connection::Connection(ConnectionContext& context, Socket socket, std::string peer)
    : context_(context), socket_(std::move(socket)), peer_(std::move(peer)) {}

Connection::~Connection() {
  context_.exchanges.give_back(std::move(exchange_));
}

Exchange& Connection::exchange() {
  if (exchange_ == nullptr) exchange_ = context_.exchanges.take();
  return *exchange_;
}

void Connection::arm(Wait wait, std::chrono::milliseconds limit) {
  wait_ = wait;
  timed_out_ = false;
  if (wait == Wait::none) {
    context_.core.wheel().disarm(*this);
  } else {
    context_.core.wheel().arm(*this, limit);
  }
}

void Connection::expired() {
  timed_out_ = true;
  context_.counters.timeouts.add();
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Connection::drain() {
  closing_ = true;
  boost::system::error_code ignored;
  if (waiting_idle_) socket_.cancel(ignored);
}

bool Connection::close_longest_idle(ConnectionContext& context) {
  if (context.idle.empty()) return false;
  auto& longest = static_cast<Connection&>(context.idle.front());
  longest.WaitLink::unlink();
  longest.drain();
  context.counters.idle_closed.add();
  return true;
}

void Connection::abort() {
  broken_ = true;
  boost::system::error_code ignored;
  // A reset, so that the client cannot take what it has for a whole answer.
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

Task<void> Connection::serve() {
  while (!broken_) {
    const HeadState state = next_head();
    if (state == HeadState::incomplete) {
      // A head that has begun to arrive is still answered when the node drains.
      if (closing_ && input_.unread().empty()) break;
      const bool received = co_await receive();
      if (!received) break;
      continue;
    }
    if (state == HeadState::ready) {
      const bool answered =
          !request().has_body() && context_.handler.try_handle(request(), response());
      if (!answered) {
        co_await answer_slowly();
      } else if (response().source != nullptr) {
        co_await send_source();
      } else {
        queue_answer();
      }
    }
    const Output& output = exchange().output;
    const bool full = output.pending_bytes() >= kGatherBytes || output.kept_bytes() >= kGatherBytes;
    if (!broken_ && (closing_ || full)) co_await flush();
    if (closing_) break;
  }
  if (lingering_ && !broken_) co_await linger();
}

Connection::HeadState Connection::next_head() {
  const std::string_view unread = input_.unread();
  if (unread.empty()) return HeadState::incomplete;
  const HeadScan scan = scan_head(unread, scanned_, context_.limits.header_bytes);
  if (scan.refusal) {
    refuse(scan.refusal, unread);
    return HeadState::refused;
  }
  if (scan.head_bytes == 0) {
    scanned_ = unread.size();
    return HeadState::incomplete;
  }
  scanned_ = 0;
  greeted_ = true;
  arm(Wait::none, {});
  Exchange& now = exchange();
  const Refusal refusal = parse_head(unread.substr(0, scan.head_bytes), context_.limits.headers,
                                     now.fields, now.request);
  // Consumed bytes stay where they are until the next read into `input_`, so the request's views
  // hold.
  input_.consume(scan.head_bytes);
  head_ = unread.substr(0, scan.head_bytes);
  context_.counters.bytes_in.add(scan.head_bytes);
  if (refusal) {
    refuse(refusal, head_);
    return HeadState::refused;
  }
  context_.counters.requests.add();
  now.request.peer = peer_;
  now.request.secure = false;
  now.request.received = context_.core.clock().mono();
  if (!now.request.keep_alive) closing_ = true;
  return HeadState::ready;
}

void Connection::refuse(const Refusal& refusal, std::string_view head) {
  context_.counters.refused_heads.add();
  closing_ = true;
  lingering_ = true;
  Exchange& now = exchange();
  now.request = Request{};
  if (head.starts_with("HEAD ")) now.request.method = Method::head;
  set_problem(now.response, problem_of(refusal));
  if (refusal.status == 405) now.response.fields.add("Allow", kMethods);
  queue_answer();
}

Task<bool> Connection::receive() {
  if (exchange_ != nullptr) {
    const bool flushed = co_await flush();
    if (!flushed) co_return false;
    // Draining may have begun meanwhile, and an idle connection would keep it waiting.
    if (closing_ && input_.unread().empty()) co_return false;
  }
  context_.exchanges.give_back(std::move(exchange_));
  const bool silent = input_.unread().empty();
  if (silent) input_.shrink();
  if (silent && greeted_) {
    arm(Wait::idle, context_.limits.idle_timeout);
  } else if (wait_ != Wait::head) {
    arm(Wait::head, context_.limits.head_timeout);
  }
  const MutableByteView room = input_.room(context_.limits.header_bytes);
  waiting_idle_ = silent;
  if (silent) context_.idle.push_back(*this);
  const auto [error, count] =
      co_await socket_.async_read_some(asio::buffer(room.data(), room.size()), kTuple);
  waiting_idle_ = false;
  WaitLink::unlink();
  // The time may have run out while the last bytes were on their way: it is over all the same.
  if (!error && count > 0 && (wait_ == Wait::idle || !timed_out_)) {
    input_.commit(count);
    co_return true;
  }
  if (timed_out_ && !silent) {
    refuse(kSlowHead, input_.unread());
    co_await flush();
  }
  co_return false;
}

Task<void> Connection::answer_slowly() {
  const bool flushed = co_await flush();
  if (!flushed) co_return;
  // Reading a chunked body moves the input buffer, which the request borrows from.
  if (request().framing == Framing::chunked) keep_head();
  RequestBody body(*this);
  bool failed = false;
  try {
    co_await context_.handler.handle(request(), body, response());
  } catch (const std::exception&) {
    failed = true;
  }
  if (broken_) {
    settle(account(0), false, context_.core.clock().mono());
    co_return;
  }
  if (failed) {
    set_problem(response(), {500, "internal", "The server failed",
                             "an unexpected error; nothing is known of its effect",
                             "Ask for the present state, then try again."});
  }
  if (const Refusal refusal = body.refusal()) {
    // A handler that has refused it likewise says more, and says it to scripts of other origins.
    if (response().status != refusal.status) set_problem(response(), problem_of(refusal));
    closing_ = true;
  }
  const bool discard = !body.finished() && !body.withheld() &&
                       body.remaining().value_or(kDiscardBytes + 1) <= kDiscardBytes;
  if (!body.finished() && (!discard || body.refusal())) closing_ = true;
  if (response().close) closing_ = true;
  if (!body.finished() && closing_) lingering_ = true;
  if (response().source != nullptr) {
    co_await send_source();
  } else {
    queue_answer();
  }
  if (discard && !closing_ && !broken_) co_await discard_body(body);
}

void Connection::keep_head() {
  Exchange& now = exchange();
  now.kept_head.assign(head_);
  const Request before = now.request;
  parse_head(now.kept_head, context_.limits.headers, now.fields, now.request);
  now.request.peer = before.peer;
  now.request.secure = before.secure;
  now.request.received = before.received;
}

Task<void> Connection::discard_body(RequestBody& body) {
  const bool flushed = co_await flush();
  if (!flushed) co_return;
  Bytes scratch(4096);
  while (!body.finished()) {
    const Result<std::size_t> count = co_await body.read(scratch);
    if (count.has_error()) {
      closing_ = true;
      co_return;
    }
  }
}

void Connection::write_head(std::optional<std::uint64_t> body_bytes, bool chunked) {
  Exchange& now = exchange();
  const Response& answer = now.response;
  Output& output = now.output;
  output.append("HTTP/1.1 ");
  append_number(output, answer.status);
  output.append(" ");
  output.append(reason_phrase(answer.status));
  output.append("\r\n");
  output.append(context_.core.date_line());
  if (closing_) {
    output.append("Connection: close\r\n");
  } else if (now.request.minor_version == 0) {
    output.append("Connection: keep-alive\r\n");
  }
  output.append(answer.fields.text());
  if (chunked) {
    output.append("Transfer-Encoding: chunked\r\n");
  } else if (body_bytes && !bodiless(answer.status)) {
    output.append("Content-Length: ");
    append_number(output, *body_bytes);
    output.append("\r\n");
  }
  output.append("\r\n");
}

void Connection::queue_answer() {
  Exchange& now = exchange();
  const bool head_only = now.request.method == Method::head;
  std::uint64_t size = now.response.pieces_bytes();
  write_head(head_only ? now.response.head_length.value_or(size) : size, false);
  if (head_only || bodiless(now.response.status)) {
    size = 0;
  } else {
    for (Piece& piece : now.response.pieces) now.output.append(std::move(piece));
  }
  now.accounts.push_back(account(size));
  now.response.clear();
}

Task<bool> Connection::flush(Transfer* transfer, const BodySource* source) {
  Output& output = exchange().output;
  Transfer own;
  Transfer& so_far = transfer != nullptr ? *transfer : own;
  const MonoTime started = context_.core.wheel().now() - so_far.running;
  for (;;) {
    const std::uint64_t before = so_far.bytes;
    const Output::Flush state = output.flush(socket_.native_handle(), so_far.bytes);
    context_.counters.bytes_out.add(so_far.bytes - before);
    so_far.running = context_.core.wheel().now() - started;
    if (state == Output::Flush::done) {
      arm(Wait::none, {});
      settle(std::numeric_limits<std::size_t>::max());
      co_return true;
    }
    if (state == Output::Flush::broken || !hold_answer(source)) break;
    arm(Wait::write, so_far.wait(context_.limits.write_timeout));
    context_.blocked.push_back(*this);
    const auto [error] = co_await socket_.async_wait(Socket::wait_write, kTuple);
    WaitLink::unlink();
    if (error) break;
  }
  settle(output.sent_bytes());
  context_.counters.aborted.add();
  abort();
  co_return false;
}

bool Connection::hold_answer(const BodySource* source) {
  const std::size_t source_bytes = source != nullptr ? source->kept_bytes() : 0;
  while (!exchange_->output.hold(context_.memory, source_bytes)) {
    if (context_.blocked.empty()) return false;
    auto& longest = static_cast<Connection&>(context_.blocked.front());
    longest.WaitLink::unlink();
    longest.abort();
    longest.exchange_->output.release();
  }
  return true;
}

Task<void> Connection::send_source() {
  Exchange& now = exchange();
  const std::unique_ptr<BodySource> source = std::move(now.response.source);
  const std::optional<std::uint64_t> length = source->length();
  const bool chunked = !length && now.request.minor_version >= 1;
  if (!length && !chunked)
    closing_ = true;  // HTTP/1.0: the end of the connection is the end of the body.
  write_head(length, chunked);
  Transfer transfer;
  std::uint64_t sent = 0;
  bool complete = now.request.method == Method::head || bodiless(now.response.status);
  while (!complete && !broken_) {
    const Result<ByteView> piece = co_await source->next();
    if (piece.has_error() || broken_) break;
    const ByteView bytes = piece.value();
    if (length && sent + bytes.size() > *length) break;
    if (bytes.empty()) {
      complete = !length || sent == *length;
      if (complete && chunked) now.output.append("0\r\n\r\n");
      break;
    }
    sent += bytes.size();
    queue_source_bytes(bytes, chunked);
    const bool flushed = co_await flush(&transfer, source.get());
    if (!flushed) break;
  }
  if (complete && !broken_) complete = co_await flush(&transfer, source.get());
  settle(account(sent), complete && !broken_, context_.core.clock().mono());
  now.response.clear();
  if (!complete && !broken_) {
    context_.counters.aborted.add();
    abort();
  }
}

void Connection::queue_source_bytes(ByteView bytes, bool chunked) {
  Output& output = exchange().output;
  if (chunked) {
    append_number(output, bytes.size(), 16);
    output.append("\r\n");
  }
  output.append(Piece::borrowed(bytes));
  if (chunked) output.append("\r\n");
}

Account Connection::account(std::uint64_t body_bytes) const {
  const Exchange& now = *exchange_;
  const bool refused = now.request.host.empty();  // An admitted request has one.
  return {.received = now.request.received,
          .method = refused ? std::string_view() : name_of(now.request.method),
          .host = now.request.host,
          .path = now.request.path,
          .answered_by = now.response.answered_by,
          .status = now.response.status,
          .body_bytes = body_bytes,
          .end = now.output.appended_bytes()};
}

void Connection::settle(std::size_t sent_bytes) {
  std::vector<Account>& accounts = exchange_->accounts;
  if (accounts.empty()) return;
  const MonoTime now = context_.core.clock().mono();
  for (Account& account : accounts) {
    const bool complete = account.end <= sent_bytes;
    if (!complete) {
      const std::size_t unsent = account.end - sent_bytes;
      account.body_bytes -= std::min<std::uint64_t>(account.body_bytes, unsent);
    }
    settle(account, complete, now);
  }
  accounts.clear();
}

void Connection::settle(const Account& account, bool complete, MonoTime now) {
  const bool refused = account.method.empty();
  const auto duration = refused ? std::chrono::nanoseconds(0) : now - account.received;
  if (complete) {
    context_.counters.by_class[account.status / 100].add();
    if (!refused) context_.counters.count_latency(duration);
  }
  if (context_.access_log == nullptr) return;
  context_.access_log->record(
      context_.core.index(),
      {account.method, account.host, account.path, peer_, account.answered_by,
       complete ? account.status : std::uint16_t{0}, account.body_bytes, duration});
}

Task<void> Connection::linger() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  arm(Wait::linger, kLingerTime);
  Bytes scratch(4096);
  for (std::uint64_t dropped = 0; dropped < kLingerBytes;) {
    const auto [error, count] =
        co_await socket_.async_read_some(asio::buffer(scratch.data(), scratch.size()), kTuple);
    if (error || count == 0) break;
    dropped += count;
  }
}

}  // namespace cairn::http
