#include "node/cli/block_cutter.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <istream>
#include <system_error>
#include <utility>

namespace cairn::cli {
namespace {

namespace fs = std::filesystem;

}  // namespace

BlockCutter::BlockCutter(std::vector<std::string> paths, std::size_t block_bytes, std::istream& in)
    : block_bytes_(block_bytes), in_(in) {
  for (const std::string& path : paths) add_path(path);
}

void BlockCutter::add_path(const std::string& path) {
  if (path == "-") {
    waiting_.push_back(path);
    total_.reset();
    return;
  }
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error || status.type() == fs::file_type::not_found) {
    problems_.push_back(path + ": " + (error ? error.message() : "No such file or directory"));
  } else if (fs::is_directory(status)) {
    add_directory(path);
  } else {
    waiting_.push_back(path);
    const auto size = fs::file_size(path, error);
    if (error) total_.reset();  // A pipe or a device: its end is not known.
    if (total_) *total_ += size;
  }
}

void BlockCutter::add_directory(const std::string& path) {
  std::vector<std::pair<std::string, std::uint64_t>> found;
  std::vector<std::string> directories{path};
  while (!directories.empty()) {
    const std::string directory = std::move(directories.back());
    directories.pop_back();
    std::error_code error;
    for (auto it = fs::directory_iterator(directory, error);
         !error && it != fs::directory_iterator(); it.increment(error)) {
      std::error_code ignored;
      const fs::file_type type = it->symlink_status(ignored).type();
      if (type == fs::file_type::directory) directories.push_back(it->path().string());
      if (type != fs::file_type::regular) {
        passed_over_ += type == fs::file_type::directory ? 0 : 1;
        continue;
      }
      const auto size = it->file_size(ignored);
      found.emplace_back(it->path().string(), ignored ? 0 : size);
    }
    if (error) problems_.push_back(directory + ": " + error.message());
  }
  std::sort(found.begin(), found.end());
  for (const auto& [file, size] : found) {
    waiting_.push_back(file);
    if (total_) *total_ += size;
  }
}

bool BlockCutter::open_next() {
  while (!waiting_.empty()) {
    path_ = std::move(waiting_.front());
    waiting_.pop_front();
    unread_ = 0;
    cut_any_ = false;
    if (path_ == "-") {
      open_ = &in_;
      return true;
    }
    errno = 0;
    file_ = std::ifstream(path_, std::ios::binary);
    if (file_) {
      open_ = &file_;
      std::error_code error;
      const auto size = fs::file_size(path_, error);
      if (!error) unread_ = size;
      return true;
    }
    problems_.push_back(path_ + ": " + std::strerror(errno != 0 ? errno : EIO));
  }
  return false;
}

std::optional<BlockCutter::Cut> BlockCutter::next() {
  while (open_ != nullptr || open_next()) {
    if (open_->peek() == std::istream::traits_type::eof()) {
      if (open_->bad()) {
        problems_.push_back(path_ + ": cannot be read to its end");
      } else if (!cut_any_) {
        problems_.push_back(path_ + ": empty; a block has at least one byte");
      }
      open_ = nullptr;
      continue;
    }
    Cut cut{path_, Bytes(unread_ == 0 ? block_bytes_ : std::min(block_bytes_, unread_))};
    open_->read(reinterpret_cast<char*>(cut.bytes.data()),
                static_cast<std::streamsize>(cut.bytes.size()));
    cut.bytes.resize(static_cast<std::size_t>(open_->gcount()));
    cut.bytes.shrink_to_fit();
    unread_ -= std::min<std::uint64_t>(unread_, cut.bytes.size());
    cut_any_ = true;
    return cut;
  }
  return std::nullopt;
}

std::vector<std::string> BlockCutter::take_problems() {
  return std::exchange(problems_, {});
}

}  // namespace cairn::cli
