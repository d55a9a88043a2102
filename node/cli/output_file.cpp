#include "node/cli/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace cairn::cli {
namespace {

namespace fs = std::filesystem;

/// As many links as the kernel follows.
constexpr int kMostLinks = 40;
constexpr int kMostParts = 1000;

Error open_error(const std::string& path) {
  return fail(Errc::unavailable, path + ": " + std::strerror(errno));
}

fs::path behind_links(fs::path path) {
  std::error_code error;
  for (int links = 0; links < kMostLinks && fs::is_symlink(path, error); ++links) {
    path = path.parent_path() / fs::read_symlink(path, error);
  }
  return path;
}

}  // namespace

bool DescriptorBuffer::close() {
  return descriptor_ < 0 || ::close(std::exchange(descriptor_, -1)) == 0;
}

std::streamsize DescriptorBuffer::xsputn(const char* bytes, std::streamsize size) {
  std::streamsize written = 0;
  while (written < size) {
    const ssize_t now =
        ::write(descriptor_, bytes + written, static_cast<std::size_t>(size - written));
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) break;
    written += now;
  }
  return written;
}

DescriptorBuffer::int_type DescriptorBuffer::overflow(int_type byte) {
  if (traits_type::eq_int_type(byte, traits_type::eof())) return traits_type::not_eof(byte);
  const char one = traits_type::to_char_type(byte);
  return xsputn(&one, 1) == 1 ? byte : traits_type::eof();
}

OutputFile::~OutputFile() {
  if (!part_.empty()) std::remove(part_.c_str());
}

Result<void> OutputFile::open() {
  struct stat status {};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) return open_error(path_);
    buffer_.own(descriptor);
    return ok();
  }
  path_ = behind_links(path_).string();
  // Never more open to others than the file that it replaces.
  const mode_t mode = exists ? status.st_mode & 0777 : 0666;
  for (int n = 0; n < kMostParts; ++n) {
    std::string part = path_ + "." + std::to_string(::getpid()) + "-" + std::to_string(n) + ".part";
    const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor >= 0) {
      buffer_.own(descriptor);
      part_ = std::move(part);
      return ok();
    }
    if (errno != EEXIST) return open_error(part);
  }
  return open_error(path_);
}

Result<void> OutputFile::keep() {
  if (!buffer_.close()) return fail(Errc::full, path_ + ": " + std::strerror(errno));
  if (part_.empty()) return ok();
  if (std::rename(part_.c_str(), path_.c_str()) != 0) return open_error(path_);
  part_.clear();
  return ok();
}

}  // namespace cairn::cli
