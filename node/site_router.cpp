#include "node/site_router.h"

#include <array>

#include "node/http/problem.h"

namespace cairn {
namespace {

constexpr std::size_t kLongestHost = 255;

bool is_api_path(std::string_view path) {
  return path.starts_with("/v1") && (path.size() == 3 || path[3] == '/');
}

void answer_unknown_host(http::Response& response) {
  http::set_problem(response, {.status = 421,
                               .type = "unknown-host",
                               .title = "No site has this host name",
                               .detail = {},
                               .hint = "Add the name to the hosts of a [[site]], or use \"*\"."});
}

void answer_no_files(http::Response& response) {
  http::set_problem(response, {.status = 404,
                               .type = "not-found",
                               .title = "Nothing is here",
                               .detail = {},
                               .hint = "This site serves the API below /v1/ alone."});
}

/// OPTIONS * asks about the server as a whole (RFC 9110 section 9.3.7).
void answer_options(http::Response& response) {
  response.status = 204;
  response.fields.add("Allow", "GET, HEAD, PUT, POST, OPTIONS");
}

}  // namespace

SiteRouter::SiteRouter(const std::vector<Site>& sites) {
  for (const Site& site : sites) {
    const Handlers handlers{site.api, site.files};
    for (const std::string& host : site.hosts) {
      if (host == "*") {
        any_ = handlers;
      } else {
        by_host_.emplace(host, handlers);
      }
    }
  }
}

const SiteRouter::Handlers* SiteRouter::site_of(std::string_view host) const {
  const Handlers* any = any_.api != nullptr ? &any_ : nullptr;
  if (by_host_.empty() || host.size() > kLongestHost) return any;
  std::array<char, kLongestHost> lower;  // NOLINT: filled before it is read.
  for (std::size_t i = 0; i < host.size(); ++i) {
    const char c = host[i];
    lower[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const auto found = by_host_.find(std::string_view(lower.data(), host.size()));
  return found != by_host_.end() ? &found->second : any;
}

http::Handler* SiteRouter::route(const http::Request& request, http::Response& response) const {
  if (request.target == "*") {
    answer_options(response);
    return nullptr;
  }
  const Handlers* site = site_of(request.host);
  if (site == nullptr) {
    answer_unknown_host(response);
    return nullptr;
  }
  if (is_api_path(request.path)) return site->api;
  if (site->files == nullptr) answer_no_files(response);
  return site->files;
}

bool SiteRouter::try_handle(const http::Request& request, http::Response& response) {
  http::Handler* handler = route(request, response);
  return handler == nullptr || handler->try_handle(request, response);
}

Task<void> SiteRouter::handle(const http::Request& request, http::BodyReader& body,
                              http::Response& response) {
  http::Handler* handler = route(request, response);
  if (handler != nullptr) co_await handler->handle(request, body, response);
}

}  // namespace cairn
