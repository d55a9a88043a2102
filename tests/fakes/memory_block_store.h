// A BlockStore in a map: what the layers above storage are tested on, and the model that the
// conformance suite is tried on first. Any thread; a Task resumes on the caller's executor.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/block_store.h"

namespace cairn {

/// How often each call came in.
struct MemoryBlockStoreCalls {
  std::uint64_t try_get = 0;
  std::uint64_t get = 0;
  std::uint64_t stat = 0;
  std::uint64_t put = 0;
  std::uint64_t missing = 0;
  std::uint64_t erase = 0;
};

class MemoryBlockStore final : public BlockStore {
 public:
  /// `clock` outlives the store. Puts beyond `capacity_bytes` of bodies are refused as full.
  explicit MemoryBlockStore(const Clock& clock, Source source = Source::storage,
                            std::size_t capacity_bytes = std::numeric_limits<std::size_t>::max())
      : clock_(clock), source_(source), capacity_(capacity_bytes) {}

  std::optional<Result<Found>> try_get(const BlockId& id) override;
  Task<Result<Found>> get(BlockId id, Deadline deadline) override;
  Task<Result<BlockStat>> stat(BlockId id, Deadline deadline) override;
  Task<Result<Stored>> put(Block block, Deadline deadline) override;
  Task<std::vector<Result<Stored>>> put_many(std::vector<Block> blocks, Deadline deadline) override;
  Task<Result<std::vector<BlockId>>> missing(std::vector<BlockId> ids, Deadline deadline) override;
  Task<Result<void>> erase(BlockId id, Deadline deadline) override;

  /// Whether try_get() answers (it does at first) or always leaves it to get().
  void set_answers_at_once(bool answers);
  /// Every call but try_get() fails with `code` until told otherwise; try_get() leaves it to get().
  void set_failure(std::optional<Errc> code);
  /// get() and try_get() of `id` answer corrupt, until it is put again or erased.
  void spoil(const BlockId& id);
  /// From now on get() waits until release_gets(); try_get() leaves it to get(). For tests of
  /// single flight: a held get() does not look at its deadline.
  void hold_gets();
  void release_gets();
  /// get() calls that wait for release_gets() now.
  std::size_t held_gets() const;

  MemoryBlockStoreCalls calls() const;
  std::size_t count() const;
  std::size_t used_bytes() const;

 private:
  struct Entry {
    Block block;
    bool spoiled = false;
  };

  struct Held {
    virtual ~Held() = default;
    virtual void resume() = 0;
  };
  template <class Handler>
  struct TypedHeld final : Held {
    explicit TypedHeld(Handler h)
        : handler(std::move(h)), guard(boost::asio::get_associated_executor(handler)) {}
    void resume() override {
      const auto executor = guard.get_executor();
      boost::asio::post(executor, std::move(handler));
    }
    Handler handler;
    boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> guard;
  };

  Task<void> wait_while_held();
  void add_held(std::unique_ptr<Held> held);
  Result<Found> look_up_locked(const BlockId& id) const;
  Result<Stored> store_locked(Block block);
  std::optional<Error> refusal_locked(Deadline deadline) const;

  const Clock& clock_;
  const Source source_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::unordered_map<BlockId, Entry> blocks_;
  std::vector<std::unique_ptr<Held>> held_;
  MemoryBlockStoreCalls calls_;
  std::size_t used_bytes_ = 0;
  std::optional<Errc> failure_;
  bool answers_at_once_ = true;
  bool holding_ = false;
};

}  // namespace cairn
