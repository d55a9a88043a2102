// Exchange: what one request and its answer need, taken from the core's pool only while a
// connection is at work, so that an idle connection holds none. Used by one core's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "node/http/output.h"
#include "node/http/request.h"
#include "node/http/response.h"

namespace cairn::http {

struct Exchange {
  std::string kept_head;  ///< A copy of the head, where the input buffer cannot keep it.
  std::vector<Field> fields;
  Request request;
  Response response;
  Output output;
};

class ExchangePool {
 public:
  std::unique_ptr<Exchange> take() {
    if (spare_.empty()) return std::make_unique<Exchange>();
    auto exchange = std::move(spare_.back());
    spare_.pop_back();
    return exchange;
  }

  /// `exchange` may be empty.
  void give_back(std::unique_ptr<Exchange> exchange) {
    if (exchange == nullptr || spare_.size() >= kSpare) return;
    exchange->response.clear();
    exchange->output.clear();
    spare_.push_back(std::move(exchange));
  }

 private:
  static constexpr std::size_t kSpare = 64;
  std::vector<std::unique_ptr<Exchange>> spare_;
};

}  // namespace cairn::http
