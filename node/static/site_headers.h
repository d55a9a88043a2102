// The fields that every answer of a site's files carries: security headers by default, each of
// which the site can replace. Pure.
#pragma once

#include <string>
#include <vector>

namespace cairn::site {

struct SiteHeaders {
  std::string lines;          ///< As on the wire.
  std::string cache_control;  ///< Where the site gives one; else empty.
};

/// `overrides` are "Name: value" ("Name:" drops the default of that name). Throws
/// std::invalid_argument for one that is no field, or one that only the server can know.
SiteHeaders make_site_headers(const std::vector<std::string>& overrides);

}  // namespace cairn::site
