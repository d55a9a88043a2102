#include "node/http/request_body.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <cstring>

#include "node/http/connection.h"

namespace cairn::http {
namespace {
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
}  // namespace

RequestBody::RequestBody(Connection& connection)
    : connection_(connection),
      decoder_(connection.context_.limits.header_bytes, connection.context_.limits.headers),
      started_(connection.context_.core.wheel().now()) {
  const Request& request = connection.request();
  chunked_ = request.framing == Framing::chunked;
  left_ = request.framing == Framing::length ? request.content_length : 0;
  finished_ = !chunked_ && left_ == 0;
  awaiting_continue_ = request.expects_continue;
}

std::optional<std::uint64_t> RequestBody::length() const {
  if (chunked_) return std::nullopt;
  return connection_.exchange_->request.content_length;
}

std::optional<std::uint64_t> RequestBody::remaining() const {
  if (finished_) return 0;
  if (chunked_) return std::nullopt;
  return left_;
}

void RequestBody::arm() {
  const Transfer so_far{connection_.context_.core.wheel().now() - started_, received_};
  connection_.arm(Connection::Wait::body, so_far.wait(connection_.context_.limits.body_timeout));
}

Task<Result<void>> RequestBody::send_continue() {
  awaiting_continue_ = false;
  // When bytes of the body are here already the client did not wait (RFC 9110 section 10.1.1).
  if (!connection_.input_.unread().empty()) co_return ok();
  connection_.exchange().output.append(kContinue);
  const bool sent = co_await connection_.flush();
  if (!sent) co_return fail(Errc::unavailable, "the client went away");
  co_return ok();
}

Task<Result<std::size_t>> RequestBody::read(MutableByteView into) {
  if (finished_) co_return 0U;
  if (refusal_) co_return fail(Errc::malformed, std::string(refusal_.reason));
  if (connection_.broken_) co_return fail(Errc::unavailable, "the client went away");
  if (awaiting_continue_) {
    const Result<void> sent = co_await send_continue();
    if (sent.has_error()) co_return sent.error();
  }
  // Not with ?: — GCC 12 destroys the temporaries of a conditional co_await twice.
  Result<std::size_t> result = std::size_t{0};
  if (chunked_) {
    result = co_await read_chunked(into);
  } else {
    result = co_await read_length(into);
  }
  connection_.arm(Connection::Wait::none, {});
  if (result.has_value()) {
    received_ += result.value();
    connection_.context_.counters.bytes_in.add(result.value());
  }
  co_return result;
}

Task<Result<std::size_t>> RequestBody::read_length(MutableByteView into) {
  into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_)));
  const std::string_view buffered = connection_.input_.unread();
  std::size_t count = std::min(buffered.size(), into.size());
  if (count > 0) {
    std::memcpy(into.data(), buffered.data(), count);
    connection_.input_.consume(count);
  } else {
    arm();
    const auto [error, received] = co_await connection_.socket_.async_read_some(
        boost::asio::buffer(into.data(), into.size()), boost::asio::as_tuple(kAwait));
    if (error || received == 0) co_return receive_failed();
    count = received;
  }
  left_ -= count;
  finished_ = left_ == 0;
  co_return count;
}

Task<Result<std::size_t>> RequestBody::read_chunked(MutableByteView into) {
  for (;;) {
    const ByteView buffered = as_bytes(connection_.input_.unread());
    const ChunkDecoder::Progress progress = decoder_.feed(buffered, into);
    connection_.input_.consume(progress.consumed);
    if (progress.state == ChunkDecoder::State::malformed) {
      refusal_ = {400, "the chunked body is not well-formed",
                  "A chunk is its size in hexadecimal, CR LF, its bytes and CR LF; one of size 0 "
                  "ends the body."};
    } else if (progress.state == ChunkDecoder::State::trailers_too_large) {
      refusal_ = {431, "the trailers are larger than this server accepts",
                  "Leave them out: none is used."};
    }
    if (refusal_) co_return fail(Errc::malformed, std::string(refusal_.reason));
    finished_ = progress.state == ChunkDecoder::State::done;
    if (finished_ || progress.produced > 0) co_return progress.produced;

    arm();
    const MutableByteView room = connection_.input_.room(Input::kLargeBytes);
    const auto [error, received] = co_await connection_.socket_.async_read_some(
        boost::asio::buffer(room.data(), room.size()), boost::asio::as_tuple(kAwait));
    if (error || received == 0) co_return receive_failed();
    connection_.input_.commit(received);
  }
}

Error RequestBody::receive_failed() {
  if (connection_.timed_out_) {
    refusal_ = {408, "the body came too slowly",
                "Try again with less in one body, or over a faster line."};
    return fail(Errc::unavailable, "the body came too slowly");
  }
  connection_.broken_ = true;
  return fail(Errc::unavailable, "the client went away");
}

}  // namespace cairn::http
