// Exchange: what one request and its answer need, taken from the core's pool only while a
// connection is at work, so that an idle connection holds none. Used by one core's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "node/http/output.h"
#include "node/http/request.h"
#include "node/http/response.h"

namespace cairn::http {

/// What the counters and the log are told of an answer once the kernel has all of it, or never
/// will. The texts lie in the request's head, which stays where it is until the answer is flushed.
struct Account {
  MonoTime received{};      ///< When the head was complete.
  std::string_view method;  ///< Empty for a head that was refused.
  std::string_view host;
  std::string_view path;
  std::string_view answered_by;
  std::uint16_t status = 0;
  std::uint64_t body_bytes = 0;
  std::size_t end = 0;  ///< Output::appended_bytes() behind the answer.
};

struct Exchange {
  std::string kept_head;  ///< A copy of the head, where the input buffer cannot keep it.
  std::vector<Field> fields;
  Request request;
  Response response;
  Output output;
  std::vector<Account> accounts;  ///< Of the answers in `output`, in order.
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
    exchange->accounts.clear();
    spare_.push_back(std::move(exchange));
  }

 private:
  static constexpr std::size_t kSpare = 64;
  std::vector<std::unique_ptr<Exchange>> spare_;
};

}  // namespace cairn::http
