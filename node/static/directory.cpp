#include "node/static/directory.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace cairn::site {
namespace {

// openat2 answers EAGAIN when a rename ran beside it and it cannot be sure; again is the cure.
constexpr int kResolveAttempts = 32;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

FileStamp stamp_of(const struct stat& status) {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size_bytes = static_cast<std::uint64_t>(status.st_size),
          .modified_ns = nanoseconds(status.st_mtim),
          .changed_ns = nanoseconds(status.st_ctim)};
}

Error error_of(int code) {
  switch (code) {
    case EMFILE:
    case ENFILE:
    case ENOMEM: return fail(Errc::overloaded, std::strerror(code));
    case EIO:
    case EINTR:
    case ENOSYS:
    case ESTALE:
    case ETIMEDOUT: return fail(Errc::unavailable, std::strerror(code));
    default:
      // No such name, no directory on the way, a way out, a loop, no permission, too long: to a
      // client there is nothing there.
      return fail(Errc::not_found, std::strerror(code));
  }
}

int open_beneath(int directory, const char* name, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, directory, name, &how, sizeof how));
}

}  // namespace

FileHandle::FileHandle(FileHandle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileHandle::~FileHandle() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::size_t> OpenFile::read(std::uint64_t offset, MutableByteView into) const {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const ssize_t got = ::pread(handle_.get(), into.data() + filled, into.size() - filled,
                                static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::unavailable, std::strerror(errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

std::size_t OpenFile::read_at_hand(std::uint64_t offset, MutableByteView into) const {
  const iovec part{into.data(), into.size()};
  const ssize_t got = ::preadv2(handle_.get(), &part, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

bool OpenFile::unchanged() const {
  struct stat status {};
  if (::fstat(handle_.get(), &status) != 0) return false;
  const FileStamp now = stamp_of(status);
  return now.size_bytes == stamp_.size_bytes && now.modified_ns == stamp_.modified_ns;
}

Result<Directory> Directory::open(const std::string& path) {
  FileHandle handle(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!handle) return fail(Errc::unavailable, path + ": " + std::strerror(errno));
  return Directory(std::move(handle));
}

void Directory::require_safe_resolution() const {
  const FileHandle probe(open_beneath(handle_.get(), ".", O_PATH | O_DIRECTORY));
  if (probe) return;
  throw std::runtime_error(
      std::string("static files need the kernel's openat2 (Linux 5.6 or newer, not blocked by a "
                  "sandbox): ") +
      std::strerror(errno));
}

Result<FileHandle> Directory::resolve(const std::string& name, int flags) const {
  for (int attempt = 0; attempt < kResolveAttempts; ++attempt) {
    FileHandle handle(open_beneath(handle_.get(), name.c_str(), flags));
    if (handle) return handle;
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return error_of(errno);
}

Result<NodeKind> Directory::kind_of(const std::string& name, FileStamp& stamp) const {
  CAIRN_TRY(const FileHandle handle, resolve(name, O_PATH));
  struct stat status {};
  if (::fstat(handle.get(), &status) != 0) return error_of(errno);
  stamp = stamp_of(status);
  if (S_ISREG(status.st_mode)) return NodeKind::file;
  if (S_ISDIR(status.st_mode)) return NodeKind::directory;
  return fail(Errc::not_found, "neither a file nor a directory");
}

Result<std::shared_ptr<const OpenFile>> Directory::open_file(const std::string& name) const {
  FileStamp stamp;
  CAIRN_TRY(const NodeKind kind, kind_of(name, stamp));
  if (kind != NodeKind::file) return fail(Errc::not_found, "not a file");
  // Should it have become a FIFO since: with O_NONBLOCK nobody waits, and fstat tells.
  CAIRN_TRY(FileHandle handle, resolve(name, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (::fstat(handle.get(), &status) != 0) return error_of(errno);
  if (!S_ISREG(status.st_mode)) return fail(Errc::not_found, "not a file");
  return std::shared_ptr<const OpenFile>(
      std::make_shared<OpenFile>(std::move(handle), stamp_of(status)));
}

}  // namespace cairn::site
