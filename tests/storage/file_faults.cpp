#include "tests/storage/file_faults.h"

#include <sys/syscall.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>

// Not <unistd.h>: it may define the functions below inline.
extern "C" {
long syscall(long number, ...) noexcept;
ssize_t readlink(const char* path, char* out, size_t size) noexcept;
}

namespace cairn {
namespace {

std::mutex mutex;
std::atomic<FileFaults*> active{nullptr};

std::string path_of(int descriptor) {
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = readlink(link.c_str(), path.data(), path.size());
  return {path.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

int ask_read(int descriptor, std::uint64_t offset, std::uint64_t size_bytes) {
  if (active == nullptr) return 0;
  const std::lock_guard lock(mutex);
  FileFaults* faults = active;
  if (faults == nullptr || !faults->on_read) return 0;
  return faults->on_read(path_of(descriptor), offset, size_bytes);
}

int ask_sync(int descriptor) {
  if (active == nullptr) return 0;
  const std::lock_guard lock(mutex);
  FileFaults* faults = active;
  if (faults == nullptr || !faults->on_sync) return 0;
  return faults->on_sync(path_of(descriptor));
}

}  // namespace

void FileFaults::start() {
  const std::lock_guard lock(mutex);
  active = this;
}

FileFaults::~FileFaults() {
  const std::lock_guard lock(mutex);
  active = nullptr;
}

}  // namespace cairn

extern "C" {

ssize_t pread(int descriptor, void* out, size_t size, off_t offset) {
  if (const int error = cairn::ask_read(descriptor, static_cast<std::uint64_t>(offset), size)) {
    errno = error;
    return -1;
  }
  return syscall(SYS_pread64, descriptor, out, size, offset);
}

ssize_t pread64(int descriptor, void* out, size_t size, off_t offset) {
  return pread(descriptor, out, size, offset);
}

int fsync(int descriptor) {
  if (const int error = cairn::ask_sync(descriptor)) {
    errno = error;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}

}  // extern "C"
