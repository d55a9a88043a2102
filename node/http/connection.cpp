#include "node/http/connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <charconv>
#include <exception>

#include "node/http/head_parser.h"
#include "node/http/problem.h"
#include "node/http/request_body.h"

namespace cairn::http {
namespace {

namespace asio = boost::asio;

constexpr auto kTuple = asio::as_tuple(kAwait);
/// Answers to pipelined requests are gathered up to this size before they are sent.
constexpr std::size_t kGatherBytes = 64 * 1024;
/// A rest of a body up to this size is read and dropped rather than the connection closed.
constexpr std::uint64_t kDiscardBytes = 64 * 1024;
/// How long and how much a closing connection still reads, so that the client gets the answer
/// before a reset.
constexpr std::chrono::milliseconds kLingerTime{2000};
constexpr std::uint64_t kLingerBytes = 256 * 1024;

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
      if (!request().has_body() && context_.handler.try_handle(request(), response())) {
        queue_answer();
      } else {
        co_await answer_slowly();
      }
    }
    if (!broken_ && (closing_ || exchange().output.pending_bytes() >= kGatherBytes)) {
      co_await flush();
    }
    if (closing_) break;
  }
  if (lingering_ && !broken_) co_await linger();
}

Connection::HeadState Connection::next_head() {
  const std::string_view unread = input_.unread();
  if (unread.empty()) return HeadState::incomplete;
  const HeadScan scan = scan_head(unread, scanned_, context_.limits.header_bytes);
  if (scan.refusal) {
    refuse(scan.refusal);
    return HeadState::refused;
  }
  if (scan.head_bytes == 0) {
    scanned_ = unread.size();
    return HeadState::incomplete;
  }
  scanned_ = 0;
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
    refuse(refusal);
    return HeadState::refused;
  }
  context_.counters.requests.add();
  now.request.peer = peer_;
  now.request.secure = false;
  now.request.received = context_.core.clock().mono();
  if (!now.request.keep_alive) closing_ = true;
  return HeadState::ready;
}

void Connection::refuse(const Refusal& refusal) {
  context_.counters.refused_heads.add();
  closing_ = true;
  lingering_ = true;
  Exchange& now = exchange();
  now.request = Request{};
  now.request.peer = peer_;
  now.request.received = context_.core.clock().mono();
  set_problem(now.response,
              {refusal.status, "bad-request", "The request was refused", refusal.reason, ""});
  if (refusal.status == 405) {
    now.response.fields.add("Allow", "GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS");
  }
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
  const bool idle = input_.unread().empty();
  if (idle) {
    input_.shrink();
    arm(Wait::idle, context_.limits.idle_timeout);
  } else if (wait_ != Wait::head) {
    arm(Wait::head, context_.limits.head_timeout);
  }
  const MutableByteView room = input_.room(context_.limits.header_bytes);
  waiting_idle_ = idle;
  const auto [error, count] =
      co_await socket_.async_read_some(asio::buffer(room.data(), room.size()), kTuple);
  waiting_idle_ = false;
  // The time may have run out while the last bytes were on their way: it is over all the same.
  if (!error && count > 0 && (idle || !timed_out_)) {
    input_.commit(count);
    co_return true;
  }
  if (timed_out_ && !idle) {
    refuse({408, "the request head came too slowly"});
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
    account(false, 0);
    co_return;
  }
  if (failed) {
    set_problem(response(), {500, "internal", "The server failed",
                             "an unexpected error; nothing is known of its effect", ""});
  }
  if (const Refusal refusal = body.refusal()) {
    set_problem(response(),
                {refusal.status, "bad-request", "The request was refused", refusal.reason, ""});
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
  account(true, size);
  now.response.clear();
}

Task<bool> Connection::flush() {
  Output& output = exchange().output;
  const MonoTime started = context_.core.wheel().now();
  std::uint64_t sent = 0;
  for (;;) {
    const std::uint64_t before = sent;
    const Output::Flush state = output.flush(socket_.native_handle(), sent);
    context_.counters.bytes_out.add(sent - before);
    if (state == Output::Flush::done) {
      arm(Wait::none, {});
      co_return true;
    }
    if (state == Output::Flush::broken) break;
    arm(Wait::write,
        transfer_wait(context_.core.wheel().now() - started, sent, context_.limits.write_timeout));
    const auto [error] = co_await socket_.async_wait(Socket::wait_write, kTuple);
    if (error) break;
  }
  context_.counters.aborted.add();
  abort();
  co_return false;
}

Task<void> Connection::send_source() {
  Exchange& now = exchange();
  const std::unique_ptr<BodySource> source = std::move(now.response.source);
  const std::optional<std::uint64_t> length = source->length();
  const bool chunked = !length && now.request.minor_version >= 1;
  if (!length && !chunked)
    closing_ = true;  // HTTP/1.0: the end of the connection is the end of the body.
  write_head(length, chunked);
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
    const bool flushed = co_await flush();
    if (!flushed) break;
  }
  account(complete && !broken_, sent);
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
  output.append(Piece::shared(nullptr, bytes));
  if (chunked) output.append("\r\n");
}

void Connection::account(bool complete, std::uint64_t body_bytes) {
  const Exchange& now = *exchange_;
  const auto duration = context_.core.clock().mono() - now.request.received;
  context_.counters.by_class[now.response.status / 100].add();
  context_.counters.count_latency(duration);
  if (context_.access_log == nullptr) return;
  context_.access_log->record(
      context_.core.index(),
      {now.request.method, now.request.host, now.request.path, now.request.peer,
       now.response.answered_by, complete ? now.response.status : std::uint16_t{0}, body_bytes,
       duration});
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
