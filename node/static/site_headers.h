// The fields that every answer of a site's files carries: security headers by default, each of
// which the site can replace. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cairn::site {

struct SiteHeaders {
  std::string lines;          ///< As on the wire.
  std::string cache_control;  ///< Where the site gives one; else empty.
};

/// What is wrong with one override: it is no field, or one that only the server can know. Empty for
/// a good one.
std::string_view site_header_problem(std::string_view line);

/// `overrides` are "Name: value" ("Name:" drops the default of that name). Throws
/// std::invalid_argument for one that has a site_header_problem().
SiteHeaders make_site_headers(const std::vector<std::string>& overrides);

}  // namespace cairn::site
