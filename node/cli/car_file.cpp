#include "node/cli/car_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "crypto/hash.h"
#include "node/cli/car.h"

namespace cairn::cli {
namespace {

constexpr std::size_t kReadBytes = std::size_t{256} << 10;

}  // namespace

CarFile::~CarFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Error CarFile::with_path(Error error) const {
  error.detail.insert(0, path_ + ": ");
  return error;
}

Result<void> CarFile::open(const std::string& path) {
  path_ = path;
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  struct stat status {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    return with_path(fail(Errc::not_found, std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) {
    return with_path(fail(Errc::not_found, "not a file; it is read twice"));
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
  return ok();
}

/// The bytes that were there: fewer at the end of the file.
Result<ByteView> CarFile::read_at(std::uint64_t offset, MutableByteView out) const {
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t now = ::pread(descriptor_, out.data() + size, out.size() - size,
                                static_cast<off_t>(offset + size));
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) return with_path(fail(Errc::not_found, std::strerror(errno)));
    if (now == 0) break;
    size += static_cast<std::size_t>(now);
  }
  return ByteView(out.first(size));
}

Result<void> CarFile::scan(const std::function<void(std::uint64_t)>& moved) {
  Bytes buffer(kReadBytes);
  CarReader reader;
  std::uint64_t offset = 0;
  for (;;) {
    CAIRN_TRY(ByteView input, read_at(offset, buffer));
    if (input.empty()) break;
    offset += input.size();
    for (;;) {
      const auto step = reader.next(input);
      if (!step) return with_path(step.error());
      if (step.value() == CarReader::Step::need_more) break;
      if (step.value() == CarReader::Step::header) root_ = reader.root();
      if (step.value() != CarReader::Step::end) continue;
      if (blocks_.size() == kMaxBlocks) {
        return with_path(fail(Errc::malformed, "more than 8388608 blocks"));
      }
      blocks_.push_back(
          {reader.id(), reader.offset(), static_cast<std::uint32_t>(reader.size_bytes())});
      moved(reader.size_bytes());
    }
  }
  if (const auto end = reader.finish(); !end) return with_path(end.error());
  std::sort(blocks_.begin(), blocks_.end(),
            [](const Place& left, const Place& right) { return left.id < right.id; });
  return ok();
}

const CarFile::Place* CarFile::find(const BlockId& id) const {
  const auto place =
      std::lower_bound(blocks_.begin(), blocks_.end(), id,
                       [](const Place& left, const BlockId& wanted) { return left.id < wanted; });
  return place != blocks_.end() && place->id == id ? &*place : nullptr;
}

Result<Bytes> CarFile::read(const BlockId& id) const {
  const Place* place = find(id);
  if (place == nullptr) {
    return with_path(fail(Errc::not_found, "the block " + id.text() + " is not in it"));
  }
  Bytes out(place->size_bytes);
  CAIRN_TRY(const ByteView bytes, read_at(place->offset, out));
  if (bytes.size() != out.size() || block_id_of(bytes) != id) {
    return with_path(fail(Errc::corrupt, "it was changed while it was read"));
  }
  return out;
}

}  // namespace cairn::cli
