#include "node/static/site_headers.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "node/http/fields.h"

namespace cairn::site {
namespace {

constexpr auto kDefaults = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"Content-Security-Policy",
     "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob: data:; "
     "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Permissions-Policy",
     "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
});

// What the server alone knows about an answer.
constexpr auto kReserved = std::to_array<std::string_view>(
    {"Accept-Ranges", "Connection", "Content-Encoding", "Content-Length", "Content-Range",
     "Content-Type", "Date", "ETag", "Keep-Alive", "Last-Modified", "Location", "Trailer",
     "Transfer-Encoding", "Upgrade"});

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

SiteHeaders make_site_headers(const std::vector<std::string>& overrides) {
  http::FieldList fields;
  for (const auto& [name, value] : kDefaults) fields.add(name, value);
  SiteHeaders headers;
  std::vector<std::string_view> seen;
  for (const std::string& line : overrides) {
    const std::size_t colon = line.find(':');
    const std::string_view name = std::string_view(line).substr(0, colon);
    const std::string_view value =
        colon == std::string::npos ? "" : trim(std::string_view(line).substr(colon + 1));
    const auto is_name = [name](std::string_view other) {
      return http::equals_ignoring_case(name, other);
    };
    if (std::any_of(kReserved.begin(), kReserved.end(), is_name)) {
      throw std::invalid_argument("the server sets this field itself: " + line);
    }
    http::FieldList probe;
    if (colon == std::string::npos || !probe.add(name, value)) {
      throw std::invalid_argument("not a field (\"Name: value\"): " + line);
    }
    if (is_name("Cache-Control")) {
      headers.cache_control = value;
      continue;
    }
    // The first of a name drops the default, further ones stand beside it.
    if (std::none_of(seen.begin(), seen.end(), is_name)) fields.remove(name);
    seen.push_back(name);
    if (!value.empty()) fields.add(name, value);
  }
  headers.lines = fields.text();
  return headers;
}

}  // namespace cairn::site
