// Requests for tests of what handlers see, without a connection under them.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/http/request.h"

namespace cairn::http {

/// Owns what a Request borrows.
class TestRequest {
 public:
  TestRequest(Method method, std::string target,
              std::initializer_list<std::pair<std::string_view, std::string_view>> fields = {})
      : target_(std::move(target)) {
    for (const auto& [name, value] : fields) fields_.push_back({name, value});
    request_.method = method;
    request_.target = target_;
    const std::string_view text = target_;
    const std::size_t question = text.find('?');
    request_.path = text.substr(0, question);
    if (question != std::string_view::npos) request_.query = text.substr(question + 1);
    request_.host = "site.test";
    request_.authority = "site.test";
    request_.peer = "127.0.0.1";
    request_.fields = fields_;
  }
  TestRequest(const TestRequest&) = delete;
  TestRequest& operator=(const TestRequest&) = delete;

  operator const Request&() const { return request_; }
  Request& edit() { return request_; }

 private:
  std::string target_;
  std::vector<Field> fields_;
  Request request_;
};

}  // namespace cairn::http
