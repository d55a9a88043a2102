// Gate: counts what is under way, so that an owner can be destroyed only when nothing uses it any
// more. (The idea is Seastar's gate.hh.) Any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

#include "base/clock.h"

namespace cairn {

/// Enter before starting work, leave when it ends; close() lets nobody in any more and wait_empty()
/// waits.
class Gate {
 public:
  /// Holds the gate open for one piece of work; releases at destruction. Move-only, may be empty.
  class Pass {
   public:
    Pass() = default;
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    ~Pass() {
      if (gate_ != nullptr) gate_->leave();
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    friend class Gate;
    explicit Pass(Gate* gate) : gate_(gate) {}
    Gate* gate_ = nullptr;
  };

  ~Gate();

  /// An empty Pass when the gate is closed.
  Pass enter();
  void close();
  bool closed() const;
  std::size_t inside() const;

  /// Waits until nobody is inside, `wait` at most. True when empty.
  bool wait_empty(std::chrono::milliseconds wait);

 private:
  void leave();

  mutable std::mutex mutex_;
  std::condition_variable empty_;
  std::size_t inside_ = 0;
  bool closed_ = false;
};

}  // namespace cairn
