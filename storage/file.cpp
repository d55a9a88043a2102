#include "storage/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace cairn {
namespace {

Error error_of(Errc code, const std::string& what, const std::filesystem::path& path,
               int error_number) {
  return fail(code,
              what + " " + path.string() + ": " + std::generic_category().message(error_number));
}

}  // namespace

Error io_error(const std::string& what, const std::filesystem::path& path, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return error_of(full ? Errc::full : Errc::unavailable, what, path, error_number);
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<File> File::open(const std::filesystem::path& path, int flags) {
  for (;;) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (descriptor >= 0) return File(descriptor, path);
    if (errno == EINTR) continue;
    if (errno == ENOENT) return fail(Errc::not_found, "no file " + path.string());
    return io_error("open", path, errno);
  }
}

Result<std::uint64_t> File::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return io_error("stat", path_, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

Result<std::uint64_t> File::allocated_bytes() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return io_error("stat", path_, errno);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

Result<std::size_t> File::read_at(std::uint64_t offset, MutableByteView out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = ::pread(descriptor_, out.data() + done, out.size() - done,
                                  static_cast<off_t>(offset + done));
    if (count == 0) break;
    if (count < 0) {
      if (errno == EINTR) continue;
      const bool lost = errno == EIO || errno == EUCLEAN || errno == EBADMSG;
      return error_of(lost ? Errc::corrupt : Errc::unavailable, "read", path_, errno);
    }
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Result<void> File::write_at(std::uint64_t offset, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0) {
      if (errno == EINTR) continue;
      return io_error("write", path_, errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return ok();
}

Result<void> File::truncate(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) {
    return io_error("truncate", path_, errno);
  }
  return ok();
}

Result<void> File::punch(std::uint64_t offset, std::uint64_t size_bytes) {
  if (::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  static_cast<off_t>(offset), static_cast<off_t>(size_bytes)) != 0) {
    return io_error("punch a hole into", path_, errno);
  }
  return ok();
}

Result<void> File::sync_all() {
  if (::fsync(descriptor_) != 0) return io_error("sync", path_, errno);
  return ok();
}

Result<void> make_directory(const std::filesystem::path& directory) {
  std::error_code error;
  if (std::filesystem::is_directory(directory, error)) return ok();
  const auto parent = directory.has_parent_path() ? directory.parent_path() : ".";
  CAIRN_TRY(make_directory(parent));
  std::filesystem::create_directory(directory, error);
  if (error) return io_error("make directory", directory, error.value());
  return sync_directory(parent);
}

Result<void> sync_directory(const std::filesystem::path& directory) {
  CAIRN_TRY(auto handle, File::open(directory, O_RDONLY | O_DIRECTORY));
  return handle.sync_all();
}

Result<void> replace_file(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path fresh = path.string() + ".new";
  {
    CAIRN_TRY(auto file, File::open(fresh, O_WRONLY | O_CREAT | O_TRUNC));
    CAIRN_TRY(file.write_at(0, as_bytes(text)));
    CAIRN_TRY(file.sync_all());
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return io_error("rename", fresh, errno);
  return sync_directory(path.parent_path());
}

}  // namespace cairn
