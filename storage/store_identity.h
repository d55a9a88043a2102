// Whose store a directory holds and in which format: the file STORE, written once at creation and
// checked before anything else is opened, and the lock that keeps a second process out. Start-up
// only.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "storage/file.h"

namespace cairn {

/// The format that this program writes. A store with a higher one is refused.
inline constexpr std::uint32_t kStoreFormat = 1;

struct StoreIdentity {
  using StoreId = std::array<std::uint8_t, 16>;

  std::uint32_t format = kStoreFormat;
  StoreId store_id{};     ///< Random; tells a replaced or rolled-back disk from the one known.
  std::string node_name;  ///< The node that made the store; no other node may open it.
  std::uint64_t placement_seed = 0;  ///< What slots were computed with; keys depend on it.

  /// Lines of `key = value`, as in the file.
  std::string text() const;
  /// Errors: malformed (says which line), denied for a newer format.
  static Result<StoreIdentity> from_text(const std::string& text);
};

/// What the opener knows about the store that it expects.
struct ExpectedIdentity {
  std::string node_name;
  std::optional<std::uint64_t> placement_seed;  ///< Nothing: the store's own, random when new.
};

/// Reads the identity of the store in `directory`. Errors: not_found, malformed, denied,
/// unavailable.
Result<StoreIdentity> read_identity(const std::filesystem::path& directory);

/// Reads it and compares; makes one for a directory that has none. Errors: denied when it is
/// another node's, another seed's or of a newer format; malformed; unavailable; full.
Result<StoreIdentity> claim_identity(const std::filesystem::path& directory,
                                     const ExpectedIdentity& expected, Random& random);

/// Holds the directory against other processes until destroyed. The kernel lets go when the process
/// dies, so a crash never leaves a lock behind.
class DirectoryLock {
 public:
  /// Errors: conflict, naming the process that holds it; unavailable.
  static Result<DirectoryLock> take(const std::filesystem::path& directory);

 private:
  explicit DirectoryLock(File file) : file_(std::move(file)) {}
  File file_;
};

}  // namespace cairn
