// Who may call this API from a page in a browser: cross-origin resource sharing
// (fetch.spec.whatwg.org, "CORS protocol"). Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "node/http/request.h"
#include "node/http/response.h"

namespace cairn::api {

class Cors {
 public:
  /// A site's own origin (http or https, as the request's Host names it) is always allowed;
  /// `origins` are further ones, exactly ("https://app.example"), or "*" for all.
  explicit Cors(std::vector<std::string> origins);

  /// Adds what lets the request's Origin, if it is allowed, read the answer; and Vary, unless every
  /// origin gets the same. Call once, at the end. Allocates nothing once the fields have capacity.
  void add_to(const http::Request& request, http::Response& response) const;

  /// Makes `response` the answer to OPTIONS of a path that takes `methods` ("GET, HEAD"); for a
  /// preflight of an allowed origin with what it may send. add_to() is still to be called.
  void answer_options(const http::Request& request, std::string_view methods,
                      http::Response& response) const;

 private:
  bool allows(const http::Request& request, std::string_view origin) const;

  std::vector<std::string> origins_;
  bool any_ = false;
};

}  // namespace cairn::api
