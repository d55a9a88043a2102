// FetchSource: the body of a `fetch` answer, made while it is sent. It asks for a few blocks ahead,
// so that the disk works while the socket does. Lives on the connection's core.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/block_store.h"
#include "base/budget.h"
#include "base/gate.h"
#include "node/api/signal.h"
#include "node/http/response.h"

namespace cairn::api {

/// In place of a length: the block is not held.
inline constexpr std::uint32_t kFrameNotHeld = 0xFFFFFFFF;
/// In place of a length: whether it is held, or its bytes, cannot be had now; ask again.
inline constexpr std::uint32_t kFrameUnavailable = 0xFFFFFFFE;

class FetchSource final : public http::BodySource {
 public:
  /// What a source works with; all of it outlives the source, and `reads` is closed and waited for
  /// before any of it is destroyed.
  struct World {
    BlockStore& store;
    const Clock& clock;
    ByteBudget& budget;
    Gate& reads;
    std::chrono::milliseconds deadline;  ///< For each block, from when it is asked for.
    std::size_t block_bytes;             ///< What a block ahead is counted as in the budget.
  };

  FetchSource(World world, std::vector<BlockId> ids) : world_(world), ids_(std::move(ids)) {}

  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  /// Frames: small ones gathered, the bytes of a large one by themselves. Never an error: what
  /// cannot be had says so in its frame.
  Task<Result<ByteView>> next() override;
  /// Blocks that were in memory already, and what is gathered.
  std::size_t kept_bytes() const override;

  /// Blocks asked for and not yet sent, at most.
  static constexpr std::size_t kAhead = 4;

 private:
  struct Slot {
    BlockId id;
    std::optional<Result<Found>> answer;
    ByteBudget::Share share;
    Signal ready;
  };

  static Task<void> read_ahead(BlockStore& store, std::shared_ptr<Slot> slot, Deadline deadline,
                               Gate::Pass pass);
  void look_ahead(const Executor& executor);
  bool start(const BlockId& id, const Executor& executor);
  Task<void> wait_for_front();
  /// Appends the front's frame to out_; true when its bytes are to follow by themselves.
  bool append_front();

  World world_;
  std::vector<BlockId> ids_;
  std::size_t next_id_ = 0;
  std::deque<std::shared_ptr<Slot>> window_;
  Bytes out_;
  Block large_;
  ByteBudget::Share large_share_;
  bool large_follows_ = false;
};

}  // namespace cairn::api
