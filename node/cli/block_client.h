// Blocks over HTTP, as the command line needs them. Everything runs on the one loop given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "node/cli/http_client.h"
#include "node/cli/retrying_client.h"

namespace cairn::cli {

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
  RetryingClient http_;
};

/// What a refusal means for the exit code and the message.
Error error_of(const Reply& reply);

}  // namespace cairn::cli
