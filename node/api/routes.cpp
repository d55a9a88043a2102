#include "node/api/routes.h"

#include "node/http/fields.h"

namespace cairn::api {

RouteMatch match_route(std::string_view path) {
  for (const Route& route : kRoutes) {
    if (route.endpoint != Endpoint::block && path == route.path) return {.route = &route, .id = {}};
  }
  constexpr std::string_view kPrefix = "/v1/blocks/";
  if (!path.starts_with(kPrefix)) return {};
  const std::string_view id = path.substr(kPrefix.size());
  if (id.find('/') != std::string_view::npos) return {};
  return {.route = &kRoutes[static_cast<std::size_t>(Endpoint::block)], .id = id};
}

bool takes(const Route& route, http::Method method) {
  return http::list_contains(route.methods, http::name_of(method));
}

static_assert(kRoutes[static_cast<std::size_t>(Endpoint::block)].endpoint == Endpoint::block);

}  // namespace cairn::api
