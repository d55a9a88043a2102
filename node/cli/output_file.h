// The file that a command was told to write: whole or not at all where it can be replaced, written
// straight where it cannot (a device, a pipe). One thread; blocks on the disk.
#pragma once

#include <ostream>
#include <streambuf>
#include <string>

#include "base/result.h"

namespace cairn::cli {

/// An output buffer without a buffer: every write goes to the descriptor, which it owns.
class DescriptorBuffer final : public std::streambuf {
 public:
  DescriptorBuffer() = default;
  ~DescriptorBuffer() override { close(); }
  DescriptorBuffer(const DescriptorBuffer&) = delete;
  DescriptorBuffer& operator=(const DescriptorBuffer&) = delete;

  void own(int descriptor) { descriptor_ = descriptor; }
  /// Whether everything reached the file; some file systems tell only now.
  bool close();

 protected:
  std::streamsize xsputn(const char* bytes, std::streamsize size) override;
  int_type overflow(int_type byte) override;

 private:
  int descriptor_ = -1;
};

class OutputFile {
 public:
  /// Nothing is open before open().
  explicit OutputFile(std::string path) : path_(std::move(path)), stream_(&buffer_) {}
  /// Removes what was not kept.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// A regular file (also behind links, also one that is not there yet) is written as
  /// PATH.<pid>-<n>.part beside it, whatever else stands there as it is. Errors: unavailable, with
  /// the path and the system's words.
  Result<void> open();
  std::ostream& stream() { return stream_; }
  /// Puts what was written in its place. Errors: full (not all of it could be written),
  /// unavailable.
  Result<void> keep();

 private:
  std::string path_;
  std::string part_;  ///< Empty where path_ itself is written.
  DescriptorBuffer buffer_;
  std::ostream stream_;
};

}  // namespace cairn::cli
