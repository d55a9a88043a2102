#include "storage/store_identity.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <map>
#include <sstream>

namespace cairn {
namespace {

constexpr std::size_t kMaxFileBytes = 4096;

template <class T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

Error malformed_line(const std::string& what) {
  return fail(Errc::malformed, "the file STORE is damaged: " + what);
}

Result<std::map<std::string, std::string>> parse_lines(const std::string& text) {
  std::map<std::string, std::string> values;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find(" = ");
    if (equals == std::string::npos) return malformed_line("'" + line + "'");
    values[line.substr(0, equals)] = line.substr(equals + 3);
  }
  return values;
}

Result<std::string> read_small_file(const std::filesystem::path& path) {
  CAIRN_TRY(auto file, File::open(path, O_RDONLY));
  std::string text(kMaxFileBytes, '\0');
  CAIRN_TRY(const std::size_t count,
            file.read_at(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  text.resize(count);
  return text;
}

std::filesystem::path identity_path(const std::filesystem::path& directory) {
  return directory / "STORE";
}

}  // namespace

std::string StoreIdentity::text() const {
  return "format = " + std::to_string(format) + "\nstore_id = " + to_hex(store_id) +
         "\nnode = " + node_name + "\nplacement_seed = " + std::to_string(placement_seed) + "\n";
}

Result<StoreIdentity> StoreIdentity::from_text(const std::string& text) {
  CAIRN_TRY(auto values, parse_lines(text));
  StoreIdentity identity;
  if (!parse_number(values["format"], identity.format) || identity.format == 0) {
    return malformed_line("no format");
  }
  if (identity.format > kStoreFormat) {
    return fail(Errc::denied, "the store has format " + std::to_string(identity.format) +
                                  "; this program knows formats up to " +
                                  std::to_string(kStoreFormat) + ": use a newer cairn");
  }
  if (!read_hex(values["store_id"], identity.store_id)) return malformed_line("no store_id");
  if (!parse_number(values["placement_seed"], identity.placement_seed)) {
    return malformed_line("no placement_seed");
  }
  if (!values.contains("node")) return malformed_line("no node");
  identity.node_name = values["node"];
  return identity;
}

Result<StoreIdentity> read_identity(const std::filesystem::path& directory) {
  CAIRN_TRY(const std::string text, read_small_file(identity_path(directory)));
  return StoreIdentity::from_text(text);
}

Result<StoreIdentity> claim_identity(const std::filesystem::path& directory,
                                     const ExpectedIdentity& expected, Random& random) {
  if (expected.node_name.find('\n') != std::string::npos) {
    return fail(Errc::malformed, "a node's name has no line breaks");
  }
  auto present = read_identity(directory);
  if (present.has_error() && present.error().code == Errc::not_found) {
    StoreIdentity fresh;
    random.fill(fresh.store_id);
    fresh.node_name = expected.node_name;
    fresh.placement_seed = expected.placement_seed.value_or(random.next_u64());
    CAIRN_TRY(replace_file(identity_path(directory), fresh.text()));
    return fresh;
  }
  if (present.has_error()) return present;
  const StoreIdentity& identity = present.value();
  if (identity.node_name != expected.node_name) {
    return fail(Errc::denied, "the store in " + directory.string() + " belongs to node '" +
                                  identity.node_name + "', this is node '" + expected.node_name +
                                  "'");
  }
  if (expected.placement_seed.value_or(identity.placement_seed) != identity.placement_seed) {
    return fail(Errc::denied, "the store in " + directory.string() +
                                  " was made with another placement seed: another cluster's?");
  }
  return present;
}

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& directory) {
  CAIRN_TRY(auto file, File::open(directory / "LOCK", O_RDWR | O_CREAT));
  if (::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return io_error("lock", file.path(), errno);
    const auto holder = read_small_file(file.path());
    const std::string who =
        holder.has_value() && !holder.value().empty() ? "process " + holder.value() : "a process";
    return fail(Errc::conflict,
                "the store in " + directory.string() + " is in use by " + who + "; stop it first");
  }
  CAIRN_TRY(file.truncate(0));
  CAIRN_TRY(file.write_at(0, as_bytes(std::to_string(::getpid()))));
  return DirectoryLock(std::move(file));
}

}  // namespace cairn
