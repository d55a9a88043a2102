// A disk that fails: while a FileFaults lives, each pread(2) and fsync(2) of this process,
// RocksDB's too, asks it first. One at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace cairn {

class FileFaults {
 public:
  /// An errno to fail with, 0 to go on. Called from any thread, one at a time, with the path of the
  /// open file; must not read or sync files.
  std::function<int(const std::string& path, std::uint64_t offset, std::uint64_t size_bytes)>
      on_read;
  std::function<int(const std::string& path)> on_sync;

  /// The functions are set before.
  void start();
  ~FileFaults();
};

}  // namespace cairn
