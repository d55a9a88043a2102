// Puts, gets and erases of the same few blocks by several threads, and which end of it a store may
// show: the model is the order of the calls where one ended before the other began.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "base/block_store.h"
#include "tests/conformance/test_block.h"
#include "tests/fakes/run_task.h"

namespace cairn {

/// The puts and erases of one block by many threads, each with a moment before it began and one
/// after it was acknowledged; moments are numbered by one counter.
class CallHistory {
 public:
  struct Call {
    bool put = false;
    std::uint64_t began = 0;
    std::uint64_t ended = 0;
  };
  void add(const Call& call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(call);
  }
  /// Whether the block may be there, or not, when all calls have ended: some call of that kind (or
  /// the empty beginning) is followed by none of the other kind that began after it had ended.
  bool allows(bool held) const {
    const auto last = [this, held](std::uint64_t ended) {
      return std::ranges::none_of(
          calls_, [&](const Call& other) { return other.put != held && other.began > ended; });
    };
    if (!held && last(0)) return true;
    return std::ranges::any_of(
        calls_, [&](const Call& call) { return call.put == held && last(call.ended); });
  }

 private:
  std::mutex mutex_;
  std::vector<Call> calls_;
};

class MixedCalls {
 public:
  static constexpr std::size_t kThreads = 4;
  static constexpr int kCallsAThread = 250;

  /// Returns when all threads are done.
  void run(BlockStore& store, Deadline deadline) {
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([this, &store, deadline, t] {
        IoContext io{1};
        std::mt19937_64 numbers(t);
        for (int i = 0; i < kCallsAThread; ++i) {
          if (!call(store, deadline, io, numbers() % kBlocks, numbers() % 4)) ++wrong_;
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }

  const auto& blocks() const { return blocks_; }
  /// Calls that failed, and gets that found other bytes.
  int wrong() const { return wrong_; }
  bool allow(const Block& block, bool held) const {
    return histories_[static_cast<std::size_t>(&block - blocks_.data())].allows(held);
  }

 private:
  static constexpr std::size_t kBlocks = 6;

  bool call(BlockStore& store, Deadline deadline, IoContext& io, std::size_t n,
            std::uint64_t what) {
    const Block& block = blocks_[n];
    if (what < 2) {
      const auto found = run_task(io, store.get(block.id(), deadline));
      return found.has_value() ? bool{same_bytes(found.value().block, block)}
                               : found.error().code == Errc::not_found;
    }
    const bool put = what == 2;
    const std::uint64_t began = moment_++;
    const bool done = put ? run_task(io, store.put(block, deadline)).has_value()
                          : run_task(io, store.erase(block.id(), deadline)).has_value();
    histories_[n].add({put, began, moment_++});
    return done;
  }

  const std::array<Block, kBlocks> blocks_{
      make_test_block(70, 100),    make_test_block(71, 512),    make_test_block(72, 4096),
      make_test_block(73, 50'000), make_test_block(74, 50'001), make_test_block(75, 100'000)};
  std::array<CallHistory, kBlocks> histories_;
  std::atomic<std::uint64_t> moment_{1};
  std::atomic<int> wrong_{0};
};

}  // namespace cairn
