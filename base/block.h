// Block: immutable, reference-counted bytes with their id; BlockBuffer fills one.
// Blocks are shared freely between threads; a BlockBuffer belongs to whoever fills it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "base/ids.h"

namespace cairn {

class BlockBuffer;

/// A handle to an immutable block: pointer-sized, cheap to copy (one relaxed atomic increment). A
/// default-made handle is empty and only good for assignment, `if` and destruction.
class Block {
 public:
  Block() = default;
  Block(const Block& other) noexcept : rep_(other.rep_) { retain(); }
  Block(Block&& other) noexcept : rep_(std::exchange(other.rep_, nullptr)) {}
  Block& operator=(Block other) noexcept {
    std::swap(rep_, other.rep_);
    return *this;
  }
  ~Block() { release(); }

  /// Copies `bytes`; `id` is trusted to be their SHA-256 (whoever brings bytes in has checked).
  static Block copy_of(const BlockId& id, ByteView bytes);

  explicit operator bool() const { return rep_ != nullptr; }
  const BlockId& id() const { return rep_->id; }
  std::uint32_t size_bytes() const { return rep_->size_bytes; }
  ByteView bytes() const { return {rep_->body, rep_->size_bytes}; }

  /// What this block takes from the heap, its bookkeeping and the allocator's rounding included.
  std::size_t footprint_bytes() const;

 private:
  friend class BlockBuffer;

  struct Rep {
    std::atomic<std::uint32_t> references{1};
    std::uint32_t size_bytes : 31 = 0;
    std::uint32_t own_body : 1 = 0;  ///< `body` is an allocation of its own, not behind the Rep.
    std::uint8_t* body = nullptr;
    BlockId id;
  };

  explicit Block(Rep* rep) : rep_(rep) {}
  static Rep* allocate(std::size_t capacity_bytes);
  static void destroy(Rep* rep) noexcept;
  void retain() const noexcept {
    if (rep_ != nullptr) rep_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release() noexcept {
    if (rep_ != nullptr && rep_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      destroy(rep_);
    }
  }

  Rep* rep_ = nullptr;
};

/// A block in the making: writable until finish() names it. Move-only.
class BlockBuffer {
 public:
  BlockBuffer() = default;
  /// Room for `capacity_bytes`, uninitialised. Size starts at 0.
  explicit BlockBuffer(std::size_t capacity_bytes);
  BlockBuffer(BlockBuffer&& other) noexcept;
  BlockBuffer& operator=(BlockBuffer&& other) noexcept;
  BlockBuffer(const BlockBuffer&) = delete;
  BlockBuffer& operator=(const BlockBuffer&) = delete;
  ~BlockBuffer();

  std::size_t size_bytes() const { return size_; }
  std::size_t capacity_bytes() const { return capacity_; }
  /// What is filled so far.
  ByteView bytes() const;
  /// The room behind what is filled; write here, then commit().
  MutableByteView room();
  /// Counts `count` bytes of room() as filled.
  void commit(std::size_t count);
  /// Makes room for at least `capacity_bytes` in all, keeping what is filled.
  void grow(std::size_t capacity_bytes);

  /// Ends filling. `id` is trusted to be the SHA-256 of bytes(). The buffer is empty afterwards.
  Block finish(const BlockId& id) &&;

 private:
  Block::Rep* rep_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace cairn
