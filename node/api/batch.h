// One `batch` call: its body is decoded as it arrives, blocks go to the store in groups, and every
// frame gets a result of its own. On the connection's core.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/block_store.h"
#include "base/budget.h"
#include "node/api/errors.h"
#include "node/api/frames.h"
#include "node/api/upload.h"
#include "node/http/body_reader.h"

namespace cairn::api {

struct BatchLimits {
  std::size_t block_bytes;  ///< A longer frame is refused by itself and skipped.
  std::size_t body_bytes;
  std::size_t blocks;
  std::chrono::milliseconds deadline;  ///< For each group.
};

class BatchCall {
 public:
  /// All of it outlives the call.
  BatchCall(BlockStore& store, const Clock& clock, ByteBudget& budget, BatchLimits limits)
      : store_(store), clock_(clock), budget_(budget), limits_(limits) {}

  /// Reads the body to its end and stores what it holds. Nothing, or why the call failed as a
  /// whole; what was complete by then may be stored, and sending it again does no harm.
  Task<std::optional<Refused>> run(http::BodyReader& body);

  /// {"results":[…]}: for each frame, in order, id, size and status, or the members of a problem.
  std::string results_json() const;

 private:
  struct Item {
    std::optional<BlockId> id;
    std::uint32_t size_bytes = 0;
    Stored stored = Stored::created;
    std::optional<Refusal> refusal;
  };

  Task<std::optional<Refused>> take(ByteView input);
  void begin_frame();
  Task<void> add_to_frame(ByteView part);
  Task<void> end_frame();
  Task<void> flush();

  BlockStore& store_;
  const Clock& clock_;
  ByteBudget& budget_;
  const BatchLimits limits_;
  FrameDecoder decoder_;
  std::vector<Item> items_;

  /// The frame that is being read; nothing when it is skipped.
  std::optional<GrowingBlock> frame_;

  // Complete blocks that wait for the store, the items they belong to and what they live on.
  std::vector<Block> group_;
  std::vector<std::size_t> group_items_;
  std::vector<ByteBudget::Share> group_shares_;
  std::size_t group_bytes_ = 0;
};

}  // namespace cairn::api
