// Keys and values of what storage keeps of a chain. In the `chain` column family, under slot
// (2 bytes, big-endian), chain id and a kind, so that a slot's chains lie side by side:
//     0 manifest   1 state   2 link, by seq (8 bytes, big-endian)
// In the `pin` column family, under the slot and id of a block, one empty value for each link that
// refers to it; and under slot and id alone the time of the last put that was noted (u64
// milliseconds, little-endian), where that is later than the entry. In the default column family,
// under `trim/`, slot and id of a chain: links of it were dropped and may still be there. Plain
// values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "crypto/chain_state.h"
#include "storage/index_key.h"
#include "storage/record_change.h"

namespace cairn {

/// The part of a key that all records of a chain share, and the keys behind it.
class ChainKeys {
 public:
  ChainKeys(Slot slot, const ChainId& chain);

  const std::string& prefix() const { return prefix_; }
  std::string manifest() const;
  std::string state() const;
  std::string link(std::uint64_t seq) const;
  /// The chain whose prefix that is; nothing for other bytes.
  static std::optional<ChainId> chain_of(std::string_view prefix);

  /// The seq in a link's key of this chain; nothing for any other key.
  std::optional<std::uint64_t> seq_of(std::string_view key) const;

 private:
  std::string of_kind(char kind) const;
  std::string prefix_;
};

/// Version, reads, admin, box, fetch token hash, writers, seq, head, epoch, first kept, rotated at,
/// removed.
std::string encode_chain_state(const ChainState& state);

/// Strict inverse of encode_chain_state; the chain's id is in the key. Nothing for other bytes.
std::optional<ChainState> decode_chain_state(std::string_view raw, const ChainId& chain);

/// One link's hold on one block.
std::string pin_key(const IndexKey& block, const ChainId& chain, std::uint64_t seq);

inline constexpr std::string_view kTrimPrefix = "trim/";
std::string trim_key(const ChainKeys& keys);

/// What takes the link `raw`, which the chain has at `seq`, off the disk with its pins.
void add_removal(const ChainKeys& keys, std::uint64_t seq, ByteView raw,
                 std::uint64_t placement_seed, std::vector<RecordChange>& out);

}  // namespace cairn
