// Files, directories and standard input, cut into blocks one after the other. One thread at a time;
// blocks on what it reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace cairn::cli {

class BlockCutter {
 public:
  struct Cut {
    std::string path;
    Bytes bytes;  ///< 1 to block_bytes.
  };

  /// `paths`: files, directories (walked in the order of their names, links not followed but
  /// counted), "-" for `in`, which outlives the cutter.
  BlockCutter(std::vector<std::string> paths, std::size_t block_bytes, std::istream& in);

  /// The next block, or nothing at the end. What cannot be read and what is empty (a block has at
  /// least one byte) is skipped and told by take_problems().
  std::optional<Cut> next();

  /// Sum of the files' sizes; nothing when standard input is among them.
  std::optional<std::uint64_t> total_bytes() const { return total_; }
  /// A line for each file and directory that gave no blocks or not all of them, taken once.
  std::vector<std::string> take_problems();
  /// What was met in directories and is neither a file nor a directory: symbolic links, sockets.
  std::size_t passed_over() const { return passed_over_; }

 private:
  void add_path(const std::string& path);
  void add_directory(const std::string& path);
  bool open_next();

  const std::size_t block_bytes_;
  std::istream& in_;
  std::deque<std::string> waiting_;
  std::string path_;
  std::ifstream file_;
  std::istream* open_ = nullptr;
  std::uint64_t unread_ = 0;  ///< Of the open file's size; 0 where that is not known.
  bool cut_any_ = false;      ///< Of the open file.
  std::optional<std::uint64_t> total_ = 0;
  std::vector<std::string> problems_;
  std::size_t passed_over_ = 0;
};

}  // namespace cairn::cli
