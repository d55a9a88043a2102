#include "node/cli/head_memory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "crypto/link.h"
#include "node/cli/admin_client.h"
#include "node/cli/output_file.h"
#include "node/config_text.h"

namespace cairn::cli {
namespace {

constexpr std::chrono::milliseconds kLockPause{20};
constexpr int kMostLockTries = 500;
constexpr std::uintmax_t kMostFileBytes = std::uintmax_t{256} << 20;

using Heads = std::map<ChainId, SeenHead>;

Error file_error(const std::string& path) {
  return fail(Errc::not_found, path + ": " + std::strerror(errno));
}

std::optional<std::pair<ChainId, SeenHead>> parse_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t second = line.find(' ', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  const auto chain = ChainId::from_text(line.substr(0, first));
  const auto seq = parse_count(line.substr(first + 1, second - first - 1));
  auto bytes = from_base64url(line.substr(second + 1));
  if (!chain || !seq || !bytes) return std::nullopt;
  const auto link = LinkView::parse(*bytes);
  if (!link || link.value().fields().seq != *seq || link.value().fields().chain != *chain) {
    return std::nullopt;
  }
  const LinkId id = link_id_of(*bytes);
  return std::pair(*chain, SeenHead{{*seq, id}, std::move(*bytes)});
}

Result<Heads> read_heads(const std::string& path) {
  Heads out;
  std::error_code absent;
  const std::uintmax_t size = std::filesystem::file_size(path, absent);
  if (absent == std::errc::no_such_file_or_directory) return out;
  if (!absent && size > kMostFileBytes) return fail(Errc::malformed, path + ": too large");
  std::ifstream in(path, std::ios::binary);
  if (!in) return file_error(path);
  for (std::string line; std::getline(in, line);) {
    auto head = parse_line(line);
    if (!head) {
      return fail(Errc::malformed, path + ": not a file of remembered heads; it is left as it is");
    }
    out.insert_or_assign(head->first, std::move(head->second));
  }
  return out;
}

/// Held until it is destroyed.
class FileLock {
 public:
  FileLock() = default;
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  static Result<FileLock> take(const std::string& path) {
    FileLock out;
    out.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (out.descriptor_ < 0) return file_error(path);
    for (int n = 0; n < kMostLockTries; ++n) {
      if (::flock(out.descriptor_, LOCK_EX | LOCK_NB) == 0) return out;
      if (errno != EWOULDBLOCK && errno != EINTR) return file_error(path);
      AdminClient::pause(kLockPause);
    }
    return fail(Errc::overloaded, path + ": another command keeps it");
  }

 private:
  int descriptor_ = -1;
};

}  // namespace

Result<std::optional<SeenHead>> HeadMemory::load(const ChainId& chain) const {
  if (path_.empty()) return std::optional<SeenHead>();
  CAIRN_TRY(Heads heads, read_heads(path_));
  const auto found = heads.find(chain);
  if (found == heads.end()) return std::optional<SeenHead>();
  return std::optional(std::move(found->second));
}

Result<void> HeadMemory::save(const ChainId& chain, const SeenHead& head) const {
  if (path_.empty() || head.position.seq == 0) return ok();
  CAIRN_TRY(const FileLock lock, FileLock::take(path_ + ".lock"));
  CAIRN_TRY(Heads heads, read_heads(path_));
  SeenHead& held = heads[chain];
  if (held.position.seq >= head.position.seq) return ok();
  held = head;
  OutputFile file(path_);
  CAIRN_TRY(file.open());
  for (const auto& [id, seen] : heads) {
    file.stream() << id.text() << ' ' << seen.position.seq << ' ' << to_base64url(seen.link)
                  << '\n';
  }
  if (!file.stream()) return fail(Errc::full, path_ + ": cannot be written");
  return file.keep();
}

}  // namespace cairn::cli
