// FileSource: a large file's bytes, read while they are sent. What the page cache holds is read on
// the loop without waiting, the rest on the pool. Lives on the connection's core.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/blocking_pool.h"
#include "base/budget.h"
#include "node/http/response.h"
#include "node/static/directory.h"

namespace cairn::site {

class FileSource final : public http::BodySource {
 public:
  /// What is read at once: where memory is plentiful, and where it is not.
  static constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
  static constexpr std::size_t kSmallPieceBytes = std::size_t{8} << 10;

  /// Yields `length` bytes from `first` on, at most `piece_bytes` (not 0) at once, for which
  /// `share` pays; `pool` and `clock` outlive this.
  FileSource(std::shared_ptr<const OpenFile> file, std::uint64_t first, std::uint64_t length,
             BlockingPool& pool, const Clock& clock, std::chrono::milliseconds deadline,
             std::size_t piece_bytes, ByteBudget::Share share);

  std::optional<std::uint64_t> length() const override { return length_; }
  /// Errors: unavailable when the file was cut, extended or rewritten in place while it was sent.
  Task<Result<ByteView>> next() override;

 private:
  /// The reader on the pool may outlive this, where a loop is torn down under it.
  struct Buffer {
    std::shared_ptr<const OpenFile> file;
    std::unique_ptr<std::uint8_t[]> bytes;
    ByteBudget::Share share;
  };

  BlockingPool& pool_;
  const Clock& clock_;
  const std::chrono::milliseconds deadline_;
  const std::uint64_t length_;
  const std::size_t piece_bytes_;
  std::uint64_t at_;
  std::uint64_t left_;
  std::shared_ptr<Buffer> buffer_;
};

}  // namespace cairn::site
