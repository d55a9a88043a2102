// ValueLogWriter: appends bodies to the newest segment of the value log and makes them durable, by
// direct I/O where the file system has it (measured: docs/decisions/0002-large-values.md). Owned
// and used by one thread, the block writer's.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "base/block.h"
#include "base/result.h"
#include "storage/value_segments.h"

namespace cairn {

class ValueLogWriter {
 public:
  struct Options {
    /// A segment is sealed when the next record would make it larger; one record always fits.
    std::uint64_t segment_bytes = std::uint64_t{1} << 30;
    /// False: commit() hands the bytes to the kernel and does not wait for the disk.
    bool sync = true;
    SyncFile sync_file;
  };

  /// Goes on at `next`: appends behind `next.offset` of that segment when it exists (what lies
  /// behind is cut off), else makes it. `segments` outlives the writer.
  ValueLogWriter(ValueSegments& segments, Options options, LogPosition next);
  /// Cuts what was preallocated and not used.
  ~ValueLogWriter();
  ValueLogWriter(const ValueLogWriter&) = delete;
  ValueLogWriter& operator=(const ValueLogWriter&) = delete;

  /// Takes the block for the next commit(). The position is good only if that succeeds. Errors:
  /// full (this block only); unavailable (all since the last commit() are lost).
  Result<LogPosition> append(const Block& block, WallTime stored_at);

  /// Makes everything appended durable. On an error nothing since the last commit() is, and the
  /// next append begins a new segment: after a failed sync the old file's state is unknown.
  Result<void> commit();

  /// Behind the last committed record.
  LogPosition tail() const { return {segment_, committed_}; }
  /// How often a write or sync failed and a segment was given up.
  std::uint64_t abandoned_segments() const { return abandoned_; }
  bool direct() const { return direct_; }

 private:
  struct Free {
    void operator()(std::uint8_t* memory) const { std::free(memory); }
  };

  Result<void> make_ready(std::uint64_t extent_bytes);
  Result<void> open_segment();
  Result<void> seal();
  Result<void> reserve_room(std::uint64_t extent_bytes);
  Result<void> stage(ByteView bytes);
  Result<void> stage_zeros(std::uint64_t count);
  Result<void> flush_stage();
  Error abandon(Error error);

  ValueSegments& segments_;
  const Options options_;
  File file_;
  bool direct_ = false;
  std::uint32_t segment_;
  std::uint64_t offset_;         ///< Where the next record goes.
  std::uint64_t committed_;      ///< Up to here everything is durable.
  std::uint64_t allocated_ = 0;  ///< Up to here the file system has given room.
  std::unique_ptr<std::uint8_t, Free> stage_;
  std::size_t staged_ = 0;
  std::uint64_t abandoned_ = 0;
};

}  // namespace cairn
