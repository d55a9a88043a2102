// Fuzz target: from a URL's path to a name below a site's root. What is let
// through is plain: no way up, no second meaning, no encoding left that another
// reader would undo.
#include "node/static/url_path.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "node/static/naming.h"
#include "tests/fuzz/input.h"

namespace cairn::fuzz {
namespace {

/// RFC 3629, by the definition: decoded, in range, no surrogate, and the
/// shortest form.
bool is_shortest_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at++]);
    const int more = lead < 0x80 ? 0 : lead < 0xC0 ? -1 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if (more < 0 || lead > 0xF7) return false;
    std::uint32_t code = more == 0 ? lead : lead & (0x3FU >> more);
    for (int i = 0; i < more; ++i) {
      if (at == text.size()) return false;
      const auto next = static_cast<unsigned char>(text[at++]);
      if ((next & 0xC0U) != 0x80U) return false;
      code = (code << 6) | (next & 0x3FU);
    }
    constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    if (code < kLeast[more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
  }
  return true;
}

void check_segments(std::string_view path) {
  bool top = true;
  std::string_view rest = path.substr(1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, end);
    CAIRN_ASSERT(!segment.empty() && segment.size() <= 255);
    CAIRN_ASSERT(segment.front() != '.' || (top && segment == ".well-known"));
    top = false;
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
}

/// Every byte but the slashes escaped: the one spelling that leaves nothing to
/// chance.
std::string escaped(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<std::uint8_t>(c);
    out += c == '/' ? "/" : "%" + to_hex(ByteView(&byte, 1));
  }
  return out;
}

void check(std::string_view raw) {
  const auto path = site::decode_path(raw);
  if (!path) return;
  CAIRN_ASSERT(raw.starts_with('/') && path->starts_with('/') && path->size() <= raw.size());
  CAIRN_ASSERT(path->ends_with('/') == raw.ends_with('/'));
  CAIRN_ASSERT(std::count(path->begin(), path->end(), '/') ==
               std::count(raw.begin(), raw.end(), '/'));
  for (const char c : *path) {
    CAIRN_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '\\');
  }
  CAIRN_ASSERT(is_shortest_utf8(*path));
  check_segments(*path);
  const std::string again = escaped(*path);
  if (again.size() <= 4000) CAIRN_ASSERT(site::decode_path(again) == path);
  const std::string_view name = site::last_segment(*path);
  CAIRN_ASSERT(path->ends_with(name) && name.find('/') == std::string_view::npos);
  CAIRN_ASSERT(!site::media_type_of(name).empty());
  site::has_content_hash(name);
}

}  // namespace
}  // namespace cairn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = cairn::as_text({data, size});
  cairn::fuzz::check(text);
  cairn::fuzz::check("/" + std::string(text));
  return 0;
}
