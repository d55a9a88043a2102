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

struct NameAndValue {
  std::string_view name;
  std::string_view value;
};

/// An empty name where `line` has no colon.
NameAndValue split(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  while (value.ends_with(' ')) value.remove_suffix(1);
  return {line.substr(0, colon), value};
}

}  // namespace

std::string_view site_header_problem(std::string_view line) {
  const auto [name, value] = split(line);
  if (!http::FieldList().add(name, value)) return "is no field (\"Name: value\")";
  for (const std::string_view reserved : kReserved) {
    if (http::equals_ignoring_case(name, reserved)) return "is a field that the server sets itself";
  }
  return {};
}

SiteHeaders make_site_headers(const std::vector<std::string>& overrides) {
  http::FieldList fields;
  for (const auto& [name, value] : kDefaults) fields.add(name, value);
  SiteHeaders headers;
  std::vector<std::string_view> seen;
  for (const std::string& line : overrides) {
    const std::string_view problem = site_header_problem(line);
    if (!problem.empty()) throw std::invalid_argument(line + ": " + std::string(problem));
    const auto [name, value] = split(line);
    const auto is_name = [name = name](std::string_view other) {
      return http::equals_ignoring_case(name, other);
    };
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
