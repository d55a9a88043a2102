// RocksChainStore: chains on RocksDB. Links are checked on a pool of its own, written by the group
// commit that blocks are written by, and looked up without blocking where RocksDB can. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/blocking_pool.h"
#include "base/chain_store.h"
#include "base/gate.h"
#include "base/log.h"
#include "crypto/chain_append.h"
#include "storage/block_holds.h"
#include "storage/block_writer.h"
#include "storage/chain_followers.h"
#include "storage/chain_locks.h"
#include "storage/chain_records.h"
#include "storage/database.h"
#include "storage/trim_list.h"

namespace cairn {

struct RocksChainStoreStats {
  std::uint64_t created = 0;
  std::uint64_t appends = 0;  ///< Acknowledged, those that repeated others too.
  std::uint64_t links = 0;    ///< Written.
  std::uint64_t conflicts = 0;
  std::size_t followers = 0;  ///< Calls of wait_beyond() under way.
};

class RocksChainStore final : public ChainStore {
 public:
  /// All references outlive the store. `checks` runs what costs a processor (signatures), `reads`
  /// what may wait for the disk.
  RocksChainStore(Database& database, BlockWriter& writer, BlockingPool& checks,
                  BlockingPool& reads, BlockHolds& holds, TrimList& trims,
                  std::uint64_t placement_seed, const Clock& clock);

  /// Waits for writes under way. No call may be.
  ~RocksChainStore() override;
  RocksChainStore(const RocksChainStore&) = delete;
  RocksChainStore& operator=(const RocksChainStore&) = delete;

  Task<Result<Stored>> create(Bytes manifest, Deadline deadline) override;
  Task<Result<ChainHead>> head(ChainId chain, Deadline deadline) override;
  Task<Result<Bytes>> manifest(ChainId chain, Deadline deadline) override;
  Task<Result<LinkPage>> links(ChainId chain, std::uint64_t from, std::size_t limit,
                               Deadline deadline) override;
  Task<Appended> append(ChainId chain, std::vector<Bytes> links, Deadline deadline) override;
  Task<Result<ChainHead>> wait_beyond(ChainId chain, std::uint64_t seq, Deadline deadline) override;
  std::shared_ptr<void> listen(const ChainId& chain,
                               std::shared_ptr<ChainListener> listener) override {
    return followers_.listen(chain, std::move(listener));
  }
  void end_waits() override { followers_.close(); }

  /// Answers whose deadline has passed. Called every now and then.
  void expire();

  RocksChainStoreStats stats() const;

 private:
  struct Change;
  /// What an append comes to, once everything about it is known to be right.
  struct Prepared {
    ChainState after;
    std::size_t new_links = 0;
    WriteRequest request;
    std::vector<BlockId> missing;
    BlockHolds::Hold hold;  ///< On what the new links refer to.
    bool drops = false;     ///< Links that the chain has become superfluous.
  };

  ChainKeys keys_of(const ChainId& chain) const;
  IndexKey key_of(const BlockId& block) const;
  Result<ChainState> read_state(const ChainId& chain) const;
  std::optional<Result<ChainState>> try_read_state(const ChainId& chain) const;
  Result<WriteRequest> prepare_create(const Bytes& manifest) const;
  Result<Prepared> prepare_append(const ChainId& chain, const std::vector<Bytes>& links) const;
  Result<std::vector<BlockId>> not_held(const std::vector<BlockId>& refs,
                                        const BlockHolds::Hold& hold) const;
  void add_changes(const ChainState& before, std::span<const NewLink> links, Prepared& out) const;
  Result<LinkPage> read_links(const ChainId& chain, std::uint64_t from, std::size_t limit) const;
  Task<Result<Stored>> write(std::shared_ptr<Change> change, WriteRequest request,
                             Deadline deadline);
  void load_trims();

  Database& database_;
  BlockWriter& writer_;
  BlockingPool& checks_;
  BlockingPool& reads_;
  BlockHolds& holds_;
  TrimList& trims_;
  const std::uint64_t placement_seed_;
  const Clock& clock_;
  ChainLocks locks_;
  Gate changes_;
  ChainFollowers followers_;
  std::atomic<std::uint64_t> created_{0};
  std::atomic<std::uint64_t> appends_{0};
  std::atomic<std::uint64_t> links_{0};
  std::atomic<std::uint64_t> conflicts_{0};
};

}  // namespace cairn
