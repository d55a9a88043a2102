// ChainClient: the routes of one chain, and those of blocks that chains need, one call at a time.
// Believes nothing: what an answer means for the chain is ChainWalk's. One thread, which waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/chain_store.h"
#include "base/ids.h"
#include "base/result.h"
#include "crypto/chain_walk.h"
#include "crypto/keys.h"
#include "node/cli/block_client.h"
#include "node/cli/http_client.h"
#include "node/cli/retrying_client.h"

namespace cairn::cli {

/// Where a node says that the chain is.
struct ClaimedHead {
  ChainPosition position{};
  std::uint64_t trimmed_before = 1;
  std::uint64_t rotated_at = 0;
  bool deleted = false;
};

/// A receipt whose signature is that of the node key that it names.
struct CheckedReceipt {
  ChainPosition position{};
  std::string json;
};

class ChainClient {
 public:
  /// `server` outlives the client.
  ChainClient(const ServerAddress& server, const ChainId& chain,
              std::chrono::milliseconds patience = Contact().patience);

  /// Shown with reads from now on.
  void show_token(const std::optional<FetchToken>& token);

  /// Errors of all calls: unavailable, denied, overloaded, full, not_found (no such chain),
  /// malformed (refused otherwise, or no answer of a Cairn site).
  Result<Stored> create(Bytes manifest);
  Result<Bytes> manifest();
  Result<ClaimedHead> head();
  /// The head once it is another than `known`; nothing after 25 s, or sooner where the node does
  /// not wait.
  Result<std::optional<ClaimedHead>> wait_beyond(const ChainPosition& known);
  /// 1 to kMaxLinksPerCall links from `from` on, as the node gives them; none where it has none.
  Result<std::vector<Bytes>> links(std::uint64_t from, std::size_t limit);
  /// conflict when somebody else was first; not_found also for refs that are not held, which the
  /// words name.
  Result<CheckedReceipt> append(std::span<const Bytes> links);
  /// Those of any number of ids that the node does not hold, in order.
  Result<std::vector<BlockId>> missing(std::span<const BlockId> ids);

  const ChainId& chain() const { return chain_; }

 private:
  Result<Reply> send(Call call);
  /// Nothing for 304.
  Result<std::optional<ClaimedHead>> read_head(Call call);

  const ChainId chain_;
  IoContext loop_{1};
  Contact contact_;
  RetryingClient http_;
  BlockClient blocks_;
  std::string authorization_;
};

/// Links as frames: length u32 little-endian, bytes.
Bytes link_frames(std::span<const Bytes> links);
/// The inverse; nothing for a body that does not end where a frame ends, or with over
/// kMaxLinksPerCall of them.
std::optional<std::vector<Bytes>> split_link_frames(ByteView body);

}  // namespace cairn::cli
