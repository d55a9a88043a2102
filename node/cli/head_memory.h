// HeadMemory: the newest link of each chain that was seen, in a file, so that a chain that goes
// back or forks is noticed by the next command and can be shown with both links. One thread a
// command; several commands may share the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "crypto/chain_walk.h"

namespace cairn::cli {

struct SeenHead {
  ChainPosition position{};
  Bytes link;  ///< Its bytes: the evidence.
};

class HeadMemory {
 public:
  /// Remembers nothing where `path` is empty. The file: "chain seq link" a line, the link in
  /// base64url.
  explicit HeadMemory(std::string path) : path_(std::move(path)) {}

  /// Errors: malformed (the file holds something else), not_found (it cannot be read).
  Result<std::optional<SeenHead>> load(const ChainId& chain) const;
  /// Never puts a head before the one that the file has. Errors as load(); overloaded when another
  /// command keeps the file for 10 s.
  Result<void> save(const ChainId& chain, const SeenHead& head) const;

 private:
  std::string path_;
};

}  // namespace cairn::cli
