#include "node/api/routes.h"

#include <optional>

#include "node/http/fields.h"

namespace cairn::api {
namespace {

constexpr std::string_view kId = "{id}";

/// What stands for {id} where `path` is of that form; else nothing.
std::optional<std::string_view> id_in(std::string_view form, std::string_view path) {
  const std::size_t at = form.find(kId);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view before = form.substr(0, at);
  const std::string_view behind = form.substr(at + kId.size());
  if (path.size() < before.size() + behind.size()) return std::nullopt;
  if (!path.starts_with(before) || !path.ends_with(behind)) return std::nullopt;
  const std::string_view id =
      path.substr(before.size(), path.size() - before.size() - behind.size());
  if (id.find('/') != std::string_view::npos) return std::nullopt;
  return id;
}

}  // namespace

RouteMatch match_route(std::string_view path) {
  // Nearly all requests: a block by the usual spelling of its id. No other route has this length.
  constexpr std::string_view kBlocks = "/v1/blocks/";
  constexpr std::size_t kIdSize = 64;
  if (path.size() == kBlocks.size() + kIdSize && path.starts_with(kBlocks)) {
    const std::string_view id = path.substr(kBlocks.size());
    if (id.find('/') == std::string_view::npos) {
      return {.route = &kRoutes[static_cast<std::size_t>(Endpoint::block)], .id = id};
    }
  }
  RouteMatch match;
  for (const Route& route : kRoutes) {
    if (path == route.path) return {.route = &route, .id = {}};
    if (const auto id = id_in(route.path, path)) match = {.route = &route, .id = *id};
  }
  return match;
}

static_assert(kRoutes[static_cast<std::size_t>(Endpoint::block)].endpoint == Endpoint::block);

bool takes(const Route& route, http::Method method) {
  return http::list_contains(route.methods, http::name_of(method));
}

bool is_read(http::Method method) {
  return method == http::Method::get || method == http::Method::head;
}

}  // namespace cairn::api
