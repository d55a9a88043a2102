// ChainKeys: the read secrets of a chain's epochs, as far as the holder of a capability comes by
// them: its own, those that rotations granted to it, and from each of them, by the rotate links'
// payloads, those before. A secret counts for an epoch only when it is the one that the chain
// names. Pure; belongs to whoever walks the chain.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "crypto/capability.h"
#include "crypto/chain_state.h"
#include "crypto/link.h"

namespace cairn {

class ChainKeys {
 public:
  explicit ChainKeys(const Capability& capability);

  /// The epoch in which a walk begins, as the manifest or a rotate link names it.
  void begin(const ChainState& state);
  /// Learns from a link that was checked; links come in order, again too. `epoch_before` is the
  /// chain's before the link.
  void see(std::uint32_t epoch_before, const LinkView& link);

  /// Null where it is not known (yet: a later link may tell). Valid until the next see().
  const ReadSecret* of(std::uint32_t epoch) const;
  /// Of the newest epoch that is known, else the capability's own; nothing without one.
  std::optional<ReadSecret> newest() const;

 private:
  struct Rotation {
    std::uint32_t before = 0;
    Bytes link;
  };

  void place(std::uint32_t epoch, const ChainAccess& access);
  bool offer(std::uint32_t epoch, const ReadSecret& secret);
  void unwind(std::uint32_t epoch);
  void open_grants_before(std::uint32_t epoch, std::uint32_t epoch_before);

  std::optional<ReadSecret> given_;
  std::optional<BoxSeed> owner_;
  std::map<std::uint32_t, ChainAccess> names_;
  std::map<std::uint32_t, ReadSecret> secrets_;
  std::map<std::uint32_t, Rotation> rotations_;  ///< By the epoch that they began.
  Bytes last_data_link_;                         ///< The link before, where it may hold grants.
};

}  // namespace cairn
