// ByteBudget: a bound on memory that several requests share. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace cairn {

/// Take before allocating, give back by destruction. Never blocks: a refusal is answered 503.
class ByteBudget {
 public:
  /// A share of the budget, returned at destruction. Move-only; an empty share means refused.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Share() {
      if (budget_ != nullptr) budget_->used_.fetch_sub(bytes_, std::memory_order_relaxed);
    }
    explicit operator bool() const { return budget_ != nullptr; }

   private:
    friend class ByteBudget;
    Share(ByteBudget* budget, std::size_t bytes) : budget_(budget), bytes_(bytes) {}
    ByteBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  explicit ByteBudget(std::size_t limit_bytes) : limit_(limit_bytes) {}

  /// An empty share when `bytes` would go over the limit.
  Share take(std::size_t bytes) {
    const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes <= limit_) return Share(this, bytes);
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    return {};
  }

  std::size_t used_bytes() const { return used_.load(std::memory_order_relaxed); }
  std::size_t limit_bytes() const { return limit_; }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace cairn
