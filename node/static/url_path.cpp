#include "node/static/url_path.h"

#include "base/utf8.h"
#include "node/http/percent.h"

namespace cairn::site {
namespace {

constexpr std::size_t kMaxPathBytes = 4000;
constexpr std::size_t kMaxSegmentBytes = 255;

bool escapes_a_separator(std::string_view raw) {
  return raw.find("%2f") != std::string_view::npos || raw.find("%2F") != std::string_view::npos;
}

bool is_plain_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0x7f && c != '\\';
}

bool is_plain_segment(std::string_view segment, bool top) {
  if (segment.empty() || segment.size() > kMaxSegmentBytes) return false;
  return segment.front() != '.' || (top && segment == ".well-known");
}

}  // namespace

std::optional<std::string> decode_path(std::string_view raw) {
  if (raw.empty() || raw.front() != '/' || raw.size() > kMaxPathBytes) return std::nullopt;
  if (escapes_a_separator(raw)) return std::nullopt;
  auto path = http::percent_decoded(raw);
  if (!path || !is_utf8(*path)) return std::nullopt;
  for (const char c : *path) {
    if (!is_plain_byte(c)) return std::nullopt;
  }
  std::string_view rest = std::string_view(*path).substr(1);
  for (bool top = true; !rest.empty(); top = false) {
    const std::size_t slash = rest.find('/');
    if (!is_plain_segment(rest.substr(0, slash), top)) return std::nullopt;
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return path;
}

std::string_view last_segment(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace cairn::site
