// SiteRouter: host -> site, path -> API or files. The one handler of the sites' server; shared by
// all cores, immutable.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "node/http/handler.h"

namespace cairn {

class SiteRouter final : public http::Handler {
 public:
  /// One site. The handlers outlive the router; `files` may be null: then everything beside the API
  /// is answered 404.
  struct Site {
    std::vector<std::string> hosts;  ///< Lower case; "*" takes every host without a site.
    http::Handler* api = nullptr;
    http::Handler* files = nullptr;
  };

  explicit SiteRouter(const std::vector<Site>& sites);

  /// A host without a site is answered 421 (RFC 9110 section 15.5.20).
  bool try_handle(const http::Request& request, http::Response& response) override;
  Task<void> handle(const http::Request& request, http::BodyReader& body,
                    http::Response& response) override;

 private:
  struct Handlers {
    http::Handler* api = nullptr;
    http::Handler* files = nullptr;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  const Handlers* site_of(std::string_view host) const;
  /// The handler for the request, or null after having answered it.
  http::Handler* route(const http::Request& request, http::Response& response) const;

  std::unordered_map<std::string, Handlers, TextHash, std::equal_to<>> by_host_;
  Handlers any_;
};

}  // namespace cairn
