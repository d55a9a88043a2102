// ChunkedArray: an array that grows and shrinks a few KiB at a time and never moves its elements.
// The cache keeps its tables in these, so that no insertion ever copies a whole table and the
// memory in use follows the number of entries closely. Guarded by its owner.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace cairn {

/// Elements are value-initialised when their chunk is made and keep their last value after that.
template <class T, std::size_t kPerChunk>
class ChunkedArray {
 public:
  T& operator[](std::size_t i) { return (*chunks_[i / kPerChunk])[i % kPerChunk]; }
  const T& operator[](std::size_t i) const { return (*chunks_[i / kPerChunk])[i % kPerChunk]; }

  /// Afterwards elements below `count` may be used.
  void reach(std::size_t count) {
    while (chunks_.size() * kPerChunk < count) chunks_.push_back(std::make_unique<Chunk>());
  }

  /// Gives back the chunks behind the first `count` elements, but for one that is kept so that a
  /// count that swings around a chunk's edge does not allocate each time. All of them for 0.
  void release_behind(std::size_t count) {
    if (count == 0) chunks_.clear();
    while (chunks_.size() > 1 && (chunks_.size() - 1) * kPerChunk >= count + kPerChunk) {
      chunks_.pop_back();
    }
    if (chunks_.capacity() > 16 && chunks_.size() * 4 < chunks_.capacity()) {
      chunks_.shrink_to_fit();
    }
  }

  /// Heap bytes held.
  std::size_t footprint_bytes() const {
    return chunks_.size() * sizeof(Chunk) + chunks_.capacity() * sizeof(std::unique_ptr<Chunk>);
  }

 private:
  // An array type of its own: new T[] would put a count in front and leave the allocator's class.
  using Chunk = std::array<T, kPerChunk>;
  std::vector<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace cairn
