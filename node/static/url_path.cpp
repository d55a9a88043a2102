#include "node/static/url_path.h"

#include "base/utf8.h"

namespace cairn::site {
namespace {

constexpr std::size_t kMaxPathBytes = 4000;
constexpr std::size_t kMaxSegmentBytes = 255;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Undoes percent-encoding; nothing for a bad escape or one that stands for a separator.
std::optional<std::string> unescape(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      out.push_back(raw[i]);
      continue;
    }
    if (raw.size() - i < 3) return std::nullopt;
    const int high = hex_value(raw[i + 1]);
    const int low = hex_value(raw[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    const char byte = static_cast<char>(high * 16 + low);
    if (byte == '/') return std::nullopt;
    out.push_back(byte);
    i += 2;
  }
  return out;
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
  auto path = unescape(raw);
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
