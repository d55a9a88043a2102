// File: an open descriptor with whole reads and writes, errors as Results that name the path.
// Reads at offsets may come from any thread; who may write is the owner's business.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace cairn {

/// How a file's bytes are made durable: returns 0, or -1 with errno. fdatasync(2) in the node;
/// tests inject failures.
using SyncFile = std::function<int(int descriptor)>;

/// errno as an Error: full for ENOSPC and EDQUOT, unavailable for the rest; `what` names the call.
Error io_error(const std::string& what, const std::filesystem::path& path, int error_number);

class File {
 public:
  File() = default;
  File(File&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(path_, other.path_);
    return *this;
  }
  ~File();

  /// open(2) with O_CLOEXEC and mode 0600. Errors: not_found for ENOENT, else io_error().
  static Result<File> open(const std::filesystem::path& path, int flags);

  explicit operator bool() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  const std::filesystem::path& path() const { return path_; }

  Result<std::uint64_t> size() const;
  /// Bytes that the file takes on the disk, holes not counted.
  Result<std::uint64_t> allocated_bytes() const;

  /// Fills `out` from `offset`; returns how many bytes there were before the end of the file.
  /// Errors: corrupt where the disk or the file system has lost what lies there (EIO, EUCLEAN,
  /// EBADMSG), unavailable.
  Result<std::size_t> read_at(std::uint64_t offset, MutableByteView out) const;
  Result<void> write_at(std::uint64_t offset, ByteView bytes);
  Result<void> truncate(std::uint64_t size);
  /// Gives whole pages back to the file system; they read as zeros from then on.
  Result<void> punch(std::uint64_t offset, std::uint64_t size_bytes);
  /// fsync(2): contents and everything about the file.
  Result<void> sync_all();

 private:
  File(int descriptor, std::filesystem::path path)
      : descriptor_(descriptor), path_(std::move(path)) {}

  int descriptor_ = -1;
  std::filesystem::path path_;
};

/// Makes `directory` and those above it that are missing, durably.
Result<void> make_directory(const std::filesystem::path& directory);

/// Makes creations, renames and removals in `directory` durable.
Result<void> sync_directory(const std::filesystem::path& directory);

/// Replaces `path` by a file with `text`, durably and all or nothing.
Result<void> replace_file(const std::filesystem::path& path, const std::string& text);

}  // namespace cairn
