#include "node/api/site_api.h"

#include "crypto/hash.h"
#include "node/api/openapi.h"
#include "node/http/conditional.h"

namespace cairn::api {
namespace {

std::string tag_of(std::string_view text) {
  return "\"" + block_id_of(as_bytes(text)).text().substr(0, 32) + "\"";
}

std::string describe_node(const ReceiptKey& receipts, const ApiOptions& options) {
  std::string out = "{\"key\":\"";
  append_base64url(receipts.public_key().bytes, out);
  out.append("\",\"block_bytes\":").append(std::to_string(options.block_bytes)).append("}");
  return out;
}

}  // namespace

SiteApi::SiteApi(const ApiWorld& world, const ApiOptions& options)
    : blocks_(world.blocks, world.bodies, world.clock, world.accounts.tokens, options),
      chains_(world.chains, world.receipts, world.bodies, world.clock, world.accounts.tokens,
              options),
      accounts_(world.accounts, world.bodies, world.clock, options),
      cors_(options.cors_origins),
      openapi_tag_(tag_of(openapi_json())),
      node_json_(describe_node(world.receipts, options)),
      node_tag_(tag_of(node_json_)) {}

bool SiteApi::try_handle(const http::Request& request, http::Response& response) {
  if (!is_read(request.method)) return false;
  const RouteMatch match = match_route(request.path);
  if (match.route == nullptr || match.route->endpoint != Endpoint::block) return false;
  if (!blocks_.try_read(request, match.id, response)) return false;
  cors_.add_to(request, response);
  return true;
}

Task<void> SiteApi::handle(const http::Request& request, http::BodyReader& body,
                           http::Response& response) {
  const RouteMatch match = match_route(request.path);
  if (match.route == nullptr) {
    refuse(response, Refusal::no_such_route);
  } else if (request.method == http::Method::options) {
    cors_.answer_options(request, match.route->methods, response);
  } else if (!takes(*match.route, request.method)) {
    refuse(response, Refusal::method_not_allowed);
    response.fields.add("Allow", match.route->methods);
  } else {
    co_await dispatch(request, body, match, response);
  }
  cors_.add_to(request, response);
}

Task<void> SiteApi::dispatch(const http::Request& request, http::BodyReader& body,
                             const RouteMatch& match, http::Response& response) {
  switch (match.route->endpoint) {
    case Endpoint::block:
    case Endpoint::blocks:
    case Endpoint::missing:
    case Endpoint::fetch:
    case Endpoint::batch: co_return co_await blocks_.handle(request, body, match, response);
    case Endpoint::chain:
    case Endpoint::manifest:
    case Endpoint::links:
    case Endpoint::events:
    case Endpoint::live: co_return co_await chains_.handle(request, body, match, response);
    case Endpoint::account:
    case Endpoint::challenge:
    case Endpoint::login:
    case Endpoint::refresh:
    case Endpoint::me: co_return co_await accounts_.handle(request, body, match, response);
    case Endpoint::node: co_return answer_document(request, node_tag_, node_json_, response);
    case Endpoint::openapi:
      co_return answer_document(request, openapi_tag_, openapi_json(), response);
  }
}

void SiteApi::answer_document(const http::Request& request, const std::string& tag,
                              std::string_view json, http::Response& response) const {
  response.answered_by = "api";
  response.fields.add("Content-Type", "application/json");
  response.fields.add("ETag", tag);
  response.fields.add_lines("Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n");
  switch (http::evaluate(request, {.etag = tag})) {
    case http::Precondition::failed: refuse(response, Refusal::precondition_failed); return;
    case http::Precondition::not_modified: response.status = 304; return;
    case http::Precondition::proceed: break;
  }
  response.pieces.push_back(http::Piece::borrowed(as_bytes(json)));
}

}  // namespace cairn::api
