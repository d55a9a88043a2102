// Every path of the API and the methods it takes. docs/openapi.yaml says the same at length, and a
// test holds the two against each other. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "node/http/request.h"

namespace cairn::api {

enum class Endpoint : std::uint8_t {
  block,
  blocks,
  missing,
  fetch,
  batch,
  chain,
  manifest,
  links,
  events,
  live,
  account,
  challenge,
  login,
  refresh,
  me,
  node,
  openapi,
};

struct Route {
  Endpoint endpoint;
  std::string_view path;     ///< As in OpenAPI; {id} stands for one segment.
  std::string_view methods;  ///< As in Allow.
};

inline constexpr std::array<Route, 17> kRoutes{{
    {Endpoint::block, "/v1/blocks/{id}", "GET, HEAD, PUT, OPTIONS"},
    {Endpoint::blocks, "/v1/blocks", "POST, OPTIONS"},
    {Endpoint::missing, "/v1/blocks/missing", "POST, OPTIONS"},
    {Endpoint::fetch, "/v1/blocks/fetch", "POST, OPTIONS"},
    {Endpoint::batch, "/v1/blocks/batch", "POST, OPTIONS"},
    {Endpoint::chain, "/v1/chains/{id}", "GET, HEAD, PUT, OPTIONS"},
    {Endpoint::manifest, "/v1/chains/{id}/manifest", "GET, HEAD, OPTIONS"},
    {Endpoint::links, "/v1/chains/{id}/links", "GET, HEAD, POST, OPTIONS"},
    {Endpoint::events, "/v1/chains/{id}/events", "GET, OPTIONS"},
    {Endpoint::live, "/v1/live", "POST, OPTIONS"},
    {Endpoint::account, "/v1/accounts/{id}", "PUT, DELETE, OPTIONS"},
    {Endpoint::challenge, "/v1/accounts/{id}/challenge", "POST, OPTIONS"},
    {Endpoint::login, "/v1/accounts/{id}/login", "POST, OPTIONS"},
    {Endpoint::refresh, "/v1/token/refresh", "POST, OPTIONS"},
    {Endpoint::me, "/v1/me", "GET, HEAD, OPTIONS"},
    {Endpoint::node, "/v1/node", "GET, HEAD, OPTIONS"},
    {Endpoint::openapi, "/v1/openapi.json", "GET, HEAD, OPTIONS"},
}};

struct RouteMatch {
  const Route* route = nullptr;  ///< Null when the API has no such path.
  std::string_view id;           ///< What stands for {id}, as sent.
};

/// Which route `path` (still percent-encoded, without query) belongs to.
RouteMatch match_route(std::string_view path);

/// Whether the route takes the method.
bool takes(const Route& route, http::Method method);

/// GET or HEAD.
bool is_read(http::Method method);

}  // namespace cairn::api
