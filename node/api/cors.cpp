#include "node/api/cors.h"

#include <algorithm>

namespace cairn::api {
namespace {

constexpr std::string_view kExposed =
    "Access-Control-Expose-Headers: ETag, Repr-Digest, Retry-After, Location, Cairn-Source, "
    "Content-Range, Accept-Ranges\r\n";
constexpr std::string_view kAllowedFields =
    "Authorization, Cairn-Invite, Content-Type, If-Match, If-None-Match, If-Range, Last-Event-ID, "
    "Prefer, Range";

/// Whether `origin` is the site that the request came to. Either scheme: what stands before the
/// node may have ended TLS.
bool is_own(const http::Request& request, std::string_view origin) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!origin.starts_with(scheme)) continue;
    return http::equals_ignoring_case(origin.substr(scheme.size()), request.authority);
  }
  return false;
}

}  // namespace

Cors::Cors(std::vector<std::string> origins) : origins_(std::move(origins)) {
  any_ = std::find(origins_.begin(), origins_.end(), "*") != origins_.end();
}

bool Cors::allows(const http::Request& request, std::string_view origin) const {
  return any_ || is_own(request, origin) ||
         std::find(origins_.begin(), origins_.end(), origin) != origins_.end();
}

void Cors::add_to(const http::Request& request, http::Response& response) const {
  if (any_) {
    // Also without an Origin: a browser may reuse this very answer, from its cache, for a
    // cross-origin call.
    response.fields.add_lines("Access-Control-Allow-Origin: *\r\n");
    response.fields.add_lines(kExposed);
    return;
  }
  response.fields.add_lines("Vary: Origin\r\n");
  const auto origin = request.field("Origin");
  if (!origin || !allows(request, *origin)) return;
  if (!response.fields.add("Access-Control-Allow-Origin", *origin)) return;
  response.fields.add_lines(kExposed);
}

void Cors::answer_options(const http::Request& request, std::string_view methods,
                          http::Response& response) const {
  response.clear();
  response.status = 204;
  response.answered_by = "api";
  response.fields.add("Allow", methods);
  const auto origin = request.field("Origin");
  if (!origin || !allows(request, *origin) || !request.field("Access-Control-Request-Method"))
    return;
  response.fields.add("Access-Control-Allow-Methods", methods);
  response.fields.add("Access-Control-Allow-Headers", kAllowedFields);
  response.fields.add_lines("Access-Control-Max-Age: 86400\r\n");
}

}  // namespace cairn::api
