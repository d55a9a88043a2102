// The transfers behind `cairn block`: several coroutines on one loop, each with its own connection,
// results in order. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "node/cli/block_client.h"
#include "node/cli/command.h"
#include "node/cli/http_client.h"
#include "node/cli/progress.h"

namespace cairn::cli {

struct TransferOptions {
  ServerAddress server;
  std::size_t jobs = 8;
  std::size_t block_bytes = 0;
  Progress::Style progress = Progress::Style::quiet;
  bool json = false;
  /// How long a server that has answered may be away before a transfer ends.
  std::chrono::milliseconds patience = Contact().patience;
};

/// Puts every block of `paths`; prints "id  size  path" a line, in order. Ends at the first failure
/// that every further block would meet; Exit::unreachable where the server was lost on the way.
Exit put_paths(const TransferOptions& options, std::vector<std::string> paths, World& world);

/// Gets `ids` and writes their bytes one after the other to `file` (output_file.h), or to world.out
/// where `file` is empty. Stops at the first that fails.
Exit get_blocks(const TransferOptions& options, const std::vector<BlockId>& ids,
                const std::string& file, World& world);

/// Takes the bytes of a block; false: they cannot be written.
using BlockSink = std::function<bool(const BlockId&, const Bytes&)>;
/// Gets `ids` and hands their bytes to `sink`, in their order; advances `progress`. Nothing, or why
/// it stopped at the first that failed: errors of BlockClient::get() with the id, and full.
std::optional<Error> fetch_in_order(const TransferOptions& options, const std::vector<BlockId>& ids,
                                    Progress& progress, const BlockSink& sink);

/// Prints size and source of each.
Exit stat_blocks(const TransferOptions& options, const std::vector<BlockId>& ids, World& world);

/// Prints those that the server does not hold; Exit::partial when there are any.
Exit missing_blocks(const TransferOptions& options, const std::vector<BlockId>& ids, World& world);

}  // namespace cairn::cli
