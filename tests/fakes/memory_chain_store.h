// A ChainStore in maps, by the same rules as the real one: what the API is tested on. Waits end
// with news, with end_waits() or by expire(). Any thread; a Task resumes on the caller's executor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/chain_store.h"
#include "base/completion.h"
#include "crypto/chain_state.h"

namespace cairn {

class MemoryChainStore final : public ChainStore {
 public:
  /// What links refer to is asked of `blocks`. Both outlive the store.
  MemoryChainStore(BlockStore& blocks, const Clock& clock) : blocks_(blocks), clock_(clock) {}

  Task<Result<Stored>> create(Bytes manifest, Deadline deadline) override;
  Task<Result<ChainHead>> head(ChainId chain, Deadline deadline) override;
  Task<Result<Bytes>> manifest(ChainId chain, Deadline deadline) override;
  Task<Result<LinkPage>> links(ChainId chain, std::uint64_t from, std::size_t limit,
                               Deadline deadline) override;
  Task<Appended> append(ChainId chain, std::vector<Bytes> links, Deadline deadline) override;
  Task<Result<ChainHead>> wait_beyond(ChainId chain, std::uint64_t seq, Deadline deadline) override;
  std::shared_ptr<void> listen(const ChainId& chain,
                               std::shared_ptr<ChainListener> listener) override;
  void end_waits() override;

  /// Every call fails with `code` until told otherwise.
  void set_failure(std::optional<Errc> code);
  /// Ends the waits whose deadline has passed.
  void expire();
  std::size_t waiting() const;
  /// links() calls so far.
  std::size_t pages_read() const;

 private:
  struct Chain {
    Bytes manifest;
    ChainState state;
    std::map<std::uint64_t, Bytes> links;
  };
  struct Waiter {
    ChainId chain;
    Deadline deadline;
    Completion<bool> done;
  };

  std::optional<Error> failure_locked() const;
  Result<Chain*> find_locked(const ChainId& chain);
  void wake(const ChainId& chain, std::vector<Waiter> waiters);
  std::vector<Waiter> take_waiters_locked(const ChainId* chain);

  BlockStore& blocks_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::unordered_map<ChainId, Chain> chains_;
  std::vector<Waiter> waiters_;
  std::multimap<ChainId, std::weak_ptr<ChainListener>> listeners_;
  std::optional<Errc> failure_;
  std::size_t pages_read_ = 0;
  bool closed_ = false;
};

}  // namespace cairn
