// See http_answer.h.
#include "http_answer.h"

#include <charconv>
#include <stdexcept>

namespace cairn::bench {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::size_t parse_size(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end == text.data()) throw std::runtime_error("bad length in answer");
  return value;
}

// Walks the chunks after the head; false while the last one is not there yet.
bool read_chunks(std::string_view rest, Body keep, HttpAnswer& answer) {
  std::size_t at = 0;
  while (true) {
    const std::size_t line_end = rest.find("\r\n", at);
    if (line_end == std::string_view::npos) return false;
    const std::size_t size = parse_size(rest.substr(at, line_end - at), 16);
    at = line_end + 2;
    if (rest.size() < at + size + 2) return false;
    if (keep == Body::keep) answer.body.append(rest.substr(at, size));
    answer.body_bytes += size;
    at += size + 2;
    if (size == 0) break;
  }
  answer.total_bytes = answer.head.size() + at;
  return true;
}

}  // namespace

std::optional<std::string_view> header_value(std::string_view head, std::string_view name) {
  std::size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    const std::size_t start = at + 2;
    at = head.find("\r\n", start);
    const std::string_view line = head.substr(start, at - start);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !equal_without_case(line.substr(0, colon), name)) {
      continue;
    }
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    return value == std::string_view::npos ? std::string_view{} : line.substr(value);
  }
  return std::nullopt;
}

std::optional<HttpAnswer> read_answer(std::string_view buffer, Body keep) {
  const std::size_t head_end = buffer.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return std::nullopt;
  if (!buffer.starts_with("HTTP/1.1 ") || head_end < 12) {
    throw std::runtime_error("not an HTTP/1.1 answer");
  }
  HttpAnswer answer;
  answer.head = buffer.substr(0, head_end + 4);
  answer.status = static_cast<int>(parse_size(buffer.substr(9, 3), 10));
  if (const auto length = header_value(answer.head, "content-length")) {
    answer.body_bytes = parse_size(*length, 10);
    answer.total_bytes = answer.head.size() + answer.body_bytes;
    if (keep != Body::leave && buffer.size() < answer.total_bytes) return std::nullopt;
    if (keep == Body::keep) answer.body = buffer.substr(answer.head.size(), answer.body_bytes);
    return answer;
  }
  if (!header_value(answer.head, "transfer-encoding")) {
    throw std::runtime_error("answer without a length");
  }
  if (!read_chunks(buffer.substr(answer.head.size()), keep, answer)) return std::nullopt;
  return answer;
}

}  // namespace cairn::bench
