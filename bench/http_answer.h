// Reads one HTTP/1.1 answer from the front of a buffer: status, where the body lies, how many bytes
// the whole takes. Pure. Knows Content-Length and chunked bodies, which is what the peers send.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::bench {

struct HttpAnswer {
  int status = 0;
  std::string_view head;  // borrows the buffer; with the empty line's CRLF
  std::string body;       // filled only when asked for
  std::size_t body_bytes = 0;
  std::size_t total_bytes = 0;  // head and body as sent
};

// What becomes of an answer's body: copied out, awaited, or (Content-Length only) left to come.
enum class Body { keep, skip, leave };

// Nothing while the buffer does not hold a whole answer yet; with Body::leave its head is enough
// and total_bytes may lie beyond the buffer. Throws std::runtime_error on what is not an HTTP/1.1
// answer, or has neither Content-Length nor chunks.
std::optional<HttpAnswer> read_answer(std::string_view buffer, Body body);

// Value of a header field of `head`, or nothing; the name is compared without case.
std::optional<std::string_view> header_value(std::string_view head, std::string_view name);

}  // namespace cairn::bench
