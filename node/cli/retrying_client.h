// RetryingClient: one connection on which each call is tried again within bounds, and what the
// clients of one run know together of the server. Everything runs on the one loop given.
#pragma once

#include <chrono>
#include <optional>

#include "node/cli/http_client.h"

namespace cairn::cli {

/// What the clients of one run know together of the server, so that all of them give up on it at
/// about the same time.
struct Contact {
  /// How long calls are tried again without an answer to any of them.
  std::chrono::milliseconds patience = std::chrono::seconds(30);
  bool answered = false;  ///< Ever.
  /// The first failure since the last answer.
  std::optional<std::chrono::steady_clock::time_point> lost_since = std::nullopt;
};

class RetryingClient {
 public:
  /// `server` and `contact` outlive the client.
  RetryingClient(Executor executor, const ServerAddress& server, Contact& contact);

  /// The last answer, or why there is none. Tries again after 429 and 503, and when a server that
  /// has answered before is lost, as long as the contact's patience lasts. `call` outlives the Task
  /// and may arrive twice. Errors as HttpClient::send().
  Task<Result<Reply>> send(const Call& call);

 private:
  std::chrono::milliseconds patience_left();
  Task<void> pause(std::chrono::milliseconds wait);

  Executor executor_;
  HttpClient http_;
  Contact& contact_;
};

}  // namespace cairn::cli
