#include "base/block.h"

#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/assert.h"

namespace cairn {

namespace {
/// From here on a body has an allocation of its own. Bodies are often a power of two, which is a
/// size that allocators keep; with the Rep in front each would be rounded up by a quarter.
constexpr std::size_t kOwnBodyBytes = 4096;
/// What fits a Rep's size.
constexpr std::size_t kMaxCapacityBytes = (std::size_t{1} << 31) - 1;
}  // namespace

Block::Rep* Block::allocate(std::size_t capacity_bytes) {
  CAIRN_ASSERT(capacity_bytes <= kMaxCapacityBytes);
  const bool own = capacity_bytes >= kOwnBodyBytes;
  void* memory = std::malloc(own ? sizeof(Rep) : sizeof(Rep) + capacity_bytes);
  if (memory == nullptr) throw std::bad_alloc();
  Rep* rep = new (memory) Rep;
  if (!own) {
    rep->body = reinterpret_cast<std::uint8_t*>(rep + 1);
    return rep;
  }
  rep->own_body = 1;
  rep->body = static_cast<std::uint8_t*>(std::malloc(capacity_bytes));
  if (rep->body == nullptr) {
    destroy(rep);
    throw std::bad_alloc();
  }
  rep->own_body = 1;
  return rep;
}

void Block::destroy(Rep* rep) noexcept {
  if (rep->own_body) std::free(rep->body);
  rep->~Rep();
  std::free(rep);
}

Block Block::copy_of(const BlockId& id, ByteView bytes) {
  Rep* rep = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(rep->body, bytes.data(), bytes.size());
  rep->size_bytes = static_cast<std::uint32_t>(bytes.size()) & kMaxCapacityBytes;
  rep->id = id;
  return Block(rep);
}

std::size_t Block::footprint_bytes() const {
  return malloc_usable_size(rep_) + (rep_->own_body ? malloc_usable_size(rep_->body) : 0);
}

BlockBuffer::BlockBuffer(std::size_t capacity_bytes)
    : rep_(Block::allocate(capacity_bytes)), capacity_(capacity_bytes) {}

BlockBuffer::BlockBuffer(BlockBuffer&& other) noexcept
    : rep_(std::exchange(other.rep_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

BlockBuffer& BlockBuffer::operator=(BlockBuffer&& other) noexcept {
  std::swap(rep_, other.rep_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  return *this;
}

BlockBuffer::~BlockBuffer() {
  if (rep_ != nullptr) Block::destroy(rep_);
}

ByteView BlockBuffer::bytes() const {
  if (rep_ == nullptr) return {};
  return {rep_->body, size_};
}

MutableByteView BlockBuffer::room() {
  if (rep_ == nullptr) return {};
  return {rep_->body + size_, capacity_ - size_};
}

void BlockBuffer::commit(std::size_t count) {
  CAIRN_ASSERT(count <= capacity_ - size_);
  size_ += count;
}

void BlockBuffer::grow(std::size_t capacity_bytes) {
  if (capacity_bytes <= capacity_) return;
  BlockBuffer larger(capacity_bytes);
  if (size_ > 0) std::memcpy(larger.room().data(), bytes().data(), size_);
  larger.commit(size_);
  *this = std::move(larger);
}

Block BlockBuffer::finish(const BlockId& id) && {
  CAIRN_ASSERT(rep_ != nullptr);
  Block::Rep* rep = std::exchange(rep_, nullptr);
  rep->size_bytes = static_cast<std::uint32_t>(size_) & kMaxCapacityBytes;
  rep->id = id;
  size_ = 0;
  capacity_ = 0;
  return Block(rep);
}

}  // namespace cairn
