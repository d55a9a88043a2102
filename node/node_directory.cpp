#include "node/node_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

namespace cairn {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

Error cannot(const std::filesystem::path& directory, const std::string& what, int error_number) {
  const bool denied = error_number == EACCES || error_number == EPERM || error_number == EROFS;
  return fail(
      denied ? Errc::denied : Errc::unavailable,
      "data directory " + directory.string() + " " + what + ": " + std::strerror(error_number));
}

}  // namespace

Result<std::string> foreign_entry(const std::filesystem::path& directory) {
  constexpr std::array<std::string_view, 3> kOurs{"LOCK", "STORE.new", "lost+found"};
  std::error_code error;
  // A store that lost its file STORE is refused where it is opened, by what it has lost.
  for (const char* mark : {"STORE", "index/CURRENT"}) {
    if (std::filesystem::exists(directory / mark, error)) return std::string();
  }
  std::filesystem::directory_iterator entries(directory, error);
  for (; !error && entries != std::filesystem::end(entries); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    if (std::find(kOurs.begin(), kOurs.end(), name) == kOurs.end()) return name;
  }
  if (error) return cannot(directory, "cannot be read", error.value());
  return std::string();
}

Result<std::string> prepare_data_directory(const std::filesystem::path& directory) {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::absolute(directory, error).parent_path();
  if (!error) std::filesystem::create_directories(parent, error);
  if (error) return cannot(directory, "cannot be made", error.value());
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return cannot(directory, "cannot be made", errno);
  }
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) return cannot(directory, "cannot be read", errno);
  if (!S_ISDIR(info.st_mode)) {
    return fail(Errc::unavailable, "data directory " + directory.string() + " is not a directory");
  }
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    return cannot(directory, "cannot be written", errno);
  }
  CAIRN_TRY(const std::string foreign, foreign_entry(directory));
  if (!foreign.empty()) {
    return fail(Errc::denied, "data directory " + directory.string() + " holds other files (" +
                                  foreign + "); name a directory of its own");
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) == 0) return std::string();
  if (::chmod(directory.c_str(), 0700) != 0) {
    return cannot(directory, "is open to other users and cannot be closed to them", errno);
  }
  return "data directory " + directory.string() + " was open to other users; its mode is 0700 now";
}

Result<std::uint64_t> read_placement_seed(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  char text[64];
  in.read(text, sizeof text);
  if (!in.is_open() || in.bad()) {
    return fail(Errc::unavailable, file.string() + ": cannot be read");
  }
  std::string_view view(text, static_cast<std::size_t>(in.gcount()));
  view.remove_prefix(std::min(view.find_first_not_of(kSpace), view.size()));
  view = view.substr(0, view.find_last_not_of(kSpace) + 1);
  std::uint64_t seed = 0;
  const auto [end, bad] = std::from_chars(view.data(), view.data() + view.size(), seed, 16);
  if (view.size() != 16 || bad != std::errc{} || end != view.data() + view.size()) {
    return fail(Errc::malformed,
                file.string() + ": expects a placement seed of 16 hexadecimal digits");
  }
  return seed;
}

namespace {

Error cannot_keep(const std::filesystem::path& file, std::string_view what) {
  std::string text = file.string();
  text.append(": ").append(what).append(": ").append(std::strerror(errno));
  return fail(Errc::unavailable, text);
}

/// Whole or not at all, and synced: what was signed with it must be provable after a crash.
Result<void> write_secret(const std::filesystem::path& file, ByteView bytes) {
  const std::filesystem::path fresh = file.string() + ".new";
  ::unlink(fresh.c_str());  // Of a start that was cut off.
  const int descriptor =
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return cannot_keep(fresh, "cannot be made");
  const auto written = ::write(descriptor, bytes.data(), bytes.size());
  const bool kept = written == static_cast<ssize_t>(bytes.size()) && ::fsync(descriptor) == 0;
  ::close(descriptor);
  if (!kept) return cannot_keep(fresh, "cannot be written");
  if (::rename(fresh.c_str(), file.c_str()) != 0) return cannot_keep(file, "cannot be made");
  const int directory = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = directory >= 0 && ::fsync(directory) == 0;
  if (directory >= 0) ::close(directory);
  if (!synced) return cannot_keep(file, "its directory cannot be synced");
  return ok();
}

}  // namespace

Result<NodeSecret> node_secret(const std::filesystem::path& directory, Random& random) {
  const std::filesystem::path file = directory / "node.key";
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0 && errno != ENOENT) return cannot_keep(file, "cannot be read");
  if (descriptor < 0) {
    const NodeSecret fresh = NodeSecret::random(random);
    CAIRN_TRY(write_secret(file, fresh.view()));
    return fresh;
  }
  struct stat info {};
  std::array<std::uint8_t, NodeSecret::kSize + 1> bytes{};
  const bool known = ::fstat(descriptor, &info) == 0;
  const auto count = known ? ::read(descriptor, bytes.data(), bytes.size()) : -1;
  ::close(descriptor);
  if (count < 0) return cannot_keep(file, "cannot be read");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Errc::denied, file.string() +
                                  " is open to other users; if nobody can have read it, "
                                  "chmod 600 it and start again");
  }
  const auto secret =
      NodeSecret::from_bytes(ByteView(bytes).first(static_cast<std::size_t>(count)));
  wipe(bytes);
  if (!secret) {
    return fail(Errc::malformed, file.string() +
                                     " is not a secret of 32 bytes; put the file back "
                                     "from a copy, or remove it for a new one");
  }
  return *secret;
}

}  // namespace cairn
