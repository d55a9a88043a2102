// Blocks over HTTP, as the command line needs them: several calls in flight, each tried again
// within bounds. Everything runs on the one loop given.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
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

/// One connection's worth of block calls.
class BlockClient {
 public:
  /// `server` and `contact` outlive the client.
  BlockClient(Executor executor, const ServerAddress& server, Contact& contact);

  enum class PutOutcome : std::uint8_t { created, held };
  /// Errors: denied, full, malformed (refused), overloaded (after all tries), unavailable.
  Task<Result<PutOutcome>> put(BlockId id, Bytes bytes);
  /// The bytes, checked against the id. Errors: not_found, corrupt, and as put().
  Task<Result<Bytes>> get(BlockId id);

  struct Stat {
    std::uint64_t size_bytes = 0;
    std::string source;
  };
  /// Errors as get().
  Task<Result<Stat>> stat(BlockId id);
  /// Those of at most kMaxIdsPerCall ids that the server does not hold.
  Task<Result<std::vector<BlockId>>> missing(std::vector<BlockId> ids);

 private:
  Task<Result<Reply>> send(const Call& call);
  std::chrono::milliseconds patience_left();
  Task<void> pause(std::chrono::milliseconds wait);

  Executor executor_;
  HttpClient http_;
  Contact& contact_;
};

/// What a refusal means for the exit code and the message.
Error error_of(const Reply& reply);

}  // namespace cairn::cli
