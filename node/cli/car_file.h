// CarFile: a CAR on the disk that was read and checked once as a whole, and then gives its blocks
// by their ids. Keeps 48 bytes a block in memory and no bodies. One thread; blocks on the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace cairn::cli {

class CarFile {
 public:
  CarFile() = default;
  ~CarFile();
  CarFile(const CarFile&) = delete;
  CarFile& operator=(const CarFile&) = delete;

  /// Errors: not_found (it cannot be read, or is no file), in words with the path.
  Result<void> open(const std::string& path);
  std::uint64_t size_bytes() const { return size_; }

  /// Reads all of it and checks every block against its id. `moved` is told of each block's bytes.
  /// Errors: as CarReader's, with the path; malformed also for over kMaxBlocks.
  Result<void> scan(const std::function<void(std::uint64_t)>& moved);
  /// 384 MiB of memory.
  static constexpr std::size_t kMaxBlocks = std::size_t{8} << 20;

  const BlockId& root() const { return root_; }
  std::size_t block_count() const { return blocks_.size(); }
  bool has(const BlockId& id) const { return find(id) != nullptr; }
  /// Errors: not_found; corrupt where the file is another by now.
  Result<Bytes> read(const BlockId& id) const;

 private:
  struct Place {
    BlockId id{};
    std::uint64_t offset = 0;
    std::uint32_t size_bytes = 0;
  };
  const Place* find(const BlockId& id) const;
  Error with_path(Error error) const;
  Result<ByteView> read_at(std::uint64_t offset, MutableByteView out) const;

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  BlockId root_{};
  std::vector<Place> blocks_;  ///< By id.
};

}  // namespace cairn::cli
