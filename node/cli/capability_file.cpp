#include "node/cli/capability_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <istream>
#include <ostream>

#include "base/utf8.h"

namespace cairn::cli {
namespace {

/// Many times the longest capability.
constexpr std::size_t kMostBytes = 4096;

Error file_error(const std::string& path) {
  return fail(Errc::not_found, path + ": " + std::strerror(errno));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// How many bytes of the descriptor came into `out`; less than zero for an error.
ssize_t read_all(int descriptor, MutableByteView out) {
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t now = ::read(descriptor, out.data() + size, out.size() - size);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) return now;
    if (now == 0) break;
    size += static_cast<std::size_t>(now);
  }
  return static_cast<ssize_t>(size);
}

Result<Capability> parsed(const std::string& path, MutableByteView bytes) {
  const auto capability = parse_capability(trimmed(as_text(bytes)));
  wipe(bytes);
  if (!capability) {
    return fail(Errc::malformed, path + ": not a capability (cairn_w_…, cairn_r_… or cairn_v_…)");
  }
  return *capability;
}

}  // namespace

Result<Capability> read_capability(const std::string& path, World& world) {
  std::array<std::uint8_t, kMostBytes> bytes{};
  if (path == "-") {
    world.in.read(reinterpret_cast<char*>(bytes.data()), bytes.size());
    return parsed("standard input",
                  MutableByteView(bytes).first(static_cast<std::size_t>(world.in.gcount())));
  }
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) return file_error(path);
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  const ssize_t size = read_all(descriptor, bytes);
  const Error failed = file_error(path);
  ::close(descriptor);
  if (size < 0) return failed;
  CAIRN_TRY(const Capability capability,
            parsed(path, MutableByteView(bytes).first(static_cast<std::size_t>(size))));
  const bool secret = !std::holds_alternative<VerifyCapability>(capability);
  if (secret && known && S_ISREG(status.st_mode) && (status.st_mode & 0077) != 0) {
    world.err << "cairn: " << printable(path) << ": others can read this secret; chmod 600 it\n";
  }
  return capability;
}

Result<void> write_secret_file(const std::string& path, std::string_view line) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return file_error(path);
  std::string text;
  text.reserve(line.size() + 1);
  text.append(line).append("\n");
  std::size_t written = 0;
  bool good = true;
  while (good && written < text.size()) {
    const ssize_t now = ::write(descriptor, text.data() + written, text.size() - written);
    if (now < 0 && errno == EINTR) continue;
    good = now > 0;
    if (good) written += static_cast<std::size_t>(now);
  }
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  good = good && ::fsync(descriptor) == 0;
  const Error failed = file_error(path);
  const bool closed = ::close(descriptor) == 0;
  if (good && closed) return ok();
  std::remove(path.c_str());
  return failed;
}

ChainId chain_of(const Capability& capability) {
  return std::visit([](const auto& one) { return one.chain; }, capability);
}

}  // namespace cairn::cli
