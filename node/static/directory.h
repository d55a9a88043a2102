// The adapter to the file system: files below a site's root, and nothing else. The kernel resolves
// every name (openat2 with RESOLVE_BENEATH), so no link, race or spelling leads out. All calls
// block: they are made on a BlockingPool's threads or at start-up.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cairn::site {

/// What changes when a file does.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// Owns a descriptor. Move-only.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int fd) : fd_(fd) {}
  FileHandle(FileHandle&& other) noexcept;
  FileHandle& operator=(FileHandle&& other) noexcept;
  ~FileHandle();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// A regular file, open for reading. Reads are by place, so threads may share it.
class OpenFile {
 public:
  OpenFile(FileHandle handle, const FileStamp& stamp) : handle_(std::move(handle)), stamp_(stamp) {}

  /// As it was when it was opened.
  const FileStamp& stamp() const { return stamp_; }

  /// Reads from `offset` on; fewer bytes than asked only at the file's end. Errors: unavailable.
  Result<std::size_t> read(std::uint64_t offset, MutableByteView into) const;
  /// As read(), but only what is in the page cache: never waits for a disk, may be called on a
  /// loop. 0 when nothing is at hand (or the file has ended; read() tells).
  std::size_t read_at_hand(std::uint64_t offset, MutableByteView into) const;
  /// Whether it is as it was when it was opened: not rewritten in place, not cut, not longer. Never
  /// waits for a disk.
  bool unchanged() const;

 private:
  FileHandle handle_;
  FileStamp stamp_;
};

enum class NodeKind : std::uint8_t { file, directory };

/// A site's root, open.
class Directory {
 public:
  /// Errors: unavailable (with the reason) when `path` is no directory that can be opened.
  static Result<Directory> open(const std::string& path);

  /// Throws std::runtime_error when the kernel cannot resolve names safely.
  void require_safe_resolution() const;

  /// What `name` (relative, no leading '/') is, without opening it: nothing happens to a FIFO or a
  /// device. Errors: not_found for whatever is not a file or directory below the root (links that
  /// lead out and loops among them); overloaded, unavailable.
  Result<NodeKind> kind_of(const std::string& name, FileStamp& stamp) const;

  /// Opens the regular file `name`. Errors as kind_of().
  Result<std::shared_ptr<const OpenFile>> open_file(const std::string& name) const;

 private:
  explicit Directory(FileHandle handle) : handle_(std::move(handle)) {}
  Result<FileHandle> resolve(const std::string& name, int flags) const;

  FileHandle handle_;
};

}  // namespace cairn::site
