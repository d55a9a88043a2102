// ValueSegments: the segment files of the value log as anyone may use them: reading a body, giving
// an erased record back to the file system, walking the records. Any thread. The one who appends is
// ValueLogWriter.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "storage/file.h"
#include "storage/value_record.h"

namespace cairn {

class ValueSegments {
 public:
  /// `directory` exists. Opens files as they are needed, and keeps at most kOpenFiles.
  ValueSegments(std::filesystem::path directory, StoreIdentity::StoreId store);

  static constexpr std::size_t kOpenFiles = 128;

  const std::filesystem::path& directory() const { return directory_; }
  const StoreIdentity::StoreId& store_id() const { return store_; }
  std::filesystem::path path_of(std::uint32_t segment) const;

  /// The numbers of the segments that exist, ascending. Errors: unavailable.
  Result<std::vector<std::uint32_t>> list() const;

  /// Looks at the segment's header. One without records need not have it: a crash may come first.
  /// Errors: denied (a newer format), corrupt (damaged, unreadable or another's), not_found,
  /// unavailable.
  Result<void> check_header(std::uint32_t segment);
  /// Writes the segment's header anew, durably. Errors: not_found, full, unavailable.
  Result<void> write_header(std::uint32_t segment);

  /// Fills `body` (of the record's exact size) without checking it against an id. Errors: corrupt
  /// when the file or the bytes are not there or cannot be read, unavailable.
  Result<void> read_body(const LogPosition& position, MutableByteView body);

  /// Gives the record's pages back to the file system; a sealed segment that has no record left is
  /// removed. Call only when no index entry points there. Errors: unavailable.
  Result<void> release(const LogPosition& position, std::uint32_t size_bytes);

  /// Forgets what the page cache holds of the record, after a read that will not come again.
  void drop_from_page_cache(const LogPosition& position, std::uint32_t size_bytes);

  /// Segments below this number are sealed: nothing is appended to them any more.
  void set_active(std::uint32_t segment) { active_.store(segment, std::memory_order_release); }
  std::uint32_t active() const { return active_.load(std::memory_order_acquire); }

  /// The open file of `segment`. Errors: not_found, unavailable.
  Result<std::shared_ptr<File>> file(std::uint32_t segment);

  /// Bytes given back by release() since the start, and segments removed.
  std::uint64_t released_bytes() const { return released_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t removed_segments() const { return removed_.load(std::memory_order_relaxed); }

 private:
  Result<void> remove_if_empty(std::uint32_t segment, const File& file);

  struct OpenFile {
    std::shared_ptr<File> file;
    std::list<std::uint32_t>::iterator age;
  };

  const std::filesystem::path directory_;
  const StoreIdentity::StoreId store_;
  std::atomic<std::uint32_t> active_{0};
  std::atomic<std::uint64_t> released_bytes_{0};
  std::atomic<std::uint64_t> removed_{0};
  std::mutex mutex_;
  std::unordered_map<std::uint32_t, OpenFile> open_;
  std::list<std::uint32_t> ages_;  ///< Least recently used first.
};

/// Steps through the records of one segment. Holes and zeros are skipped; what is neither a record
/// nor zeros, or cannot be read, is counted and skipped page by page.
class SegmentWalk {
 public:
  /// `segments` outlives the walk. `from` is a multiple of kLogPageBytes.
  SegmentWalk(ValueSegments& segments, std::uint32_t segment, std::uint64_t from);

  /// The next record, nothing at the end. Bodies are not looked at. Errors: not_found (no such
  /// segment), unavailable.
  Result<std::optional<ValueRecord>> next();

  /// Neither records nor zeros, the unreadable ones included.
  std::uint64_t garbage_pages() const { return garbage_pages_; }
  std::uint64_t unreadable_pages() const { return unreadable_pages_; }
  /// Behind the last record, or where the walk began.
  std::uint64_t end_of_records() const { return end_of_records_; }

 private:
  bool skip_hole(const File& file, std::uint64_t size);

  ValueSegments& segments_;
  const std::uint32_t segment_;
  std::shared_ptr<File> file_;
  std::uint64_t size_ = 0;
  std::uint64_t offset_;
  std::uint64_t end_of_records_;
  std::uint64_t garbage_pages_ = 0;
  std::uint64_t unreadable_pages_ = 0;
};

}  // namespace cairn
