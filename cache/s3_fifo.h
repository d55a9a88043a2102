// S3FifoPolicy: three queues (Yang et al., "FIFO queues are all you need for cache eviction", SOSP
// 2023). New entries wait in a small queue, those asked for again move to the main one, and what
// was evicted from the small queue is remembered for a while so that its return goes straight to
// the main one. As many are remembered as are held. A hit only bumps a counter. Guarded by the
// stripe's lock.
#pragma once

#include "cache/ghost_list.h"
#include "cache/policy.h"

namespace cairn {

class S3FifoPolicy final : public CachePolicy {
 public:
  CacheList list_for(std::uint32_t tag) override;
  void hit(EntryTable& table, CacheIndex i, std::uint32_t now_ms) override;
  CacheIndex victim(EntryTable& table, std::uint32_t now_ms) override;
  void evicted(std::uint32_t tag, CacheList list, std::size_t left) override;
  std::size_t overhead_bytes() const override { return sizeof *this + ghosts_.overhead_bytes(); }
  Balance balance() const override { return Balance::largest; }

 private:
  GhostList ghosts_;
};

}  // namespace cairn
