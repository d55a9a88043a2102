// What the tests of storage share: a store in a directory of its own that can be closed, opened
// again and tampered with in between.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "storage/storage.h"
#include "storage/value_record.h"
#include "tests/conformance/block_store_suite.h"
#include "tests/fakes/recording_log.h"
#include "tests/fakes/run_task.h"
#include "tests/fakes/temporary_directory.h"

namespace cairn {

/// Small buffers and segments, no scrub thread: quick, and every file is rolled over soon.
inline StorageOptions small_store(const std::filesystem::path& directory) {
  StorageOptions options;
  options.directory = directory;
  options.node_name = "test";
  options.reserve = DiskReserve{0, 0.0};
  options.cache_bytes = std::size_t{4} << 20;
  options.write_buffer_bytes = std::size_t{2} << 20;
  options.segment_bytes = std::uint64_t{1} << 20;
  options.reader_threads = 2;
  options.scrub_bytes_per_second = 0;
  return options;
}

class StorageFixture : public ::testing::Test {
 protected:
  StorageFixture() : options_(small_store(directory_.path())) {}

  Result<void> try_open() {
    auto opened = Storage::open(options_, clock_, random_, log_);
    if (opened.has_error()) return opened.error();
    storage_ = std::move(opened).value();
    return ok();
  }
  void open() {
    const auto opened = try_open();
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
  }
  void close() { storage_.reset(); }
  void reopen() {
    close();
    open();
  }

  Deadline soon() const { return clock_.in(std::chrono::seconds(60)); }
  BlockStore& blocks() { return storage_->blocks(); }
  Result<Stored> put(const Block& block) { return run_task(io_, blocks().put(block, soon())); }
  Result<Found> get(const BlockId& id) { return run_task(io_, blocks().get(id, soon())); }
  Result<void> erase(const BlockId& id) { return run_task(io_, blocks().erase(id, soon())); }
  void expect_held(const Block& block) {
    const auto found = get(block.id());
    ASSERT_TRUE(found.has_value()) << found.error().detail;
    EXPECT_TRUE(same_bytes(found.value().block, block));
  }

  /// Waits for what another thread will do, at most half a minute.
  template <class Condition>
  bool eventually(Condition condition) {
    const MonoTime end = clock_.in(std::chrono::seconds(30));
    while (!condition()) {
      if (clock_.mono() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  std::vector<std::filesystem::path> segment_files() const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path() / "values")) {
      files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
  }

  TemporaryDirectory directory_;
  SystemClock clock_;
  SystemRandom random_;
  RecordingLog log_;
  IoContext io_{1};
  StorageOptions options_;
  std::unique_ptr<Storage> storage_;
};

/// Replaces the bytes at `offset` of a file.
inline void overwrite_file(const std::filesystem::path& path, std::uint64_t offset,
                           const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(file.good()) << path;
}

/// The header of a segment that a newer program has written.
inline std::string newer_segment_header(std::uint32_t segment,
                                        const StoreIdentity::StoreId& store) {
  SegmentHeader header = encode_segment_header(segment, store);
  header[8] = 2;
  Sha256 check;
  check.update(store);
  check.update(ByteView(header).first(32));
  const auto digest = check.finish();
  std::copy_n(digest.begin(), 16, header.begin() + 32);
  return std::string(as_text(header));
}

/// Where `bytes` begin in the file; npos when they are not there.
inline std::size_t find_in_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ifstream file(path, std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return all.find(bytes);
}

}  // namespace cairn
