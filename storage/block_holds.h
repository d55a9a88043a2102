// BlockHolds: what keeps a block from being collected while somebody relies on its being there, and
// what keeps everybody from relying on one that is being collected. Any thread.
//
// Whoever is about to acknowledge a put of a held block, or to check that a link's refs are held,
// takes a Hold first and lets go when that has come to its end on the disk. The collector watches a
// block, looks at its entry and its pins after that, and submits the erase; the writer closes the
// watch when it builds the batch. A Hold that was taken since the watch began makes closing fail,
// so the erase is dropped. A Hold that is taken after closing is told that the block is leaving: it
// is as good as not held, and a put of it stands in a later batch than the erase.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace cairn {

class BlockHolds {
 private:
  struct State {
    std::uint32_t holders = 0;
    bool watched = false;
    bool held_since = false;  ///< A Hold was taken since the watch began.
    bool leaving = false;
  };
  struct Stripe {
    std::mutex mutex;
    std::unordered_map<BlockId, State> states;
  };
  static constexpr std::size_t kStripes = 64;
  struct Table {
    std::array<Stripe, kStripes> stripes;
    Stripe& of(const BlockId& id) { return stripes[(id.prefix() >> 32) % kStripes]; }
  };

 public:
  /// Move-only; lets go when destroyed, also after the BlockHolds.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&&) noexcept = default;
    Hold& operator=(Hold&& other) noexcept {
      release();
      table_ = std::exchange(other.table_, nullptr);
      ids_ = std::move(other.ids_);
      leaving_ = std::move(other.leaving_);
      return *this;
    }
    ~Hold() { release(); }

    /// Whether the block was on its way out when the hold was taken.
    bool leaving(const BlockId& id) const;

   private:
    friend class BlockHolds;
    void release();

    std::shared_ptr<Table> table_;
    std::vector<BlockId> ids_;
    std::vector<BlockId> leaving_;
  };

  Hold take(std::vector<BlockId> ids);

  /// The collector's: begins to watch; false when somebody holds the block.
  bool watch(const BlockId& id);
  /// The writer's, when it builds the batch: whether the block may go. Then it is leaving.
  bool close(const BlockId& id);
  /// The collector's, once the erase has happened, was dropped or failed.
  void forget(const BlockId& id);

 private:
  std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

}  // namespace cairn
