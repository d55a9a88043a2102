// Capabilities come from a file or from standard input, never from the command line, and go to a
// file that its owner alone can read. One thread; blocks on the disk.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "crypto/capability.h"
#include "node/cli/command.h"

namespace cairn::cli {

/// The capability in `path`, or on standard input for "-"; white space around it is passed over.
/// Warns of a secret in a file that others can read. Errors: not_found (the file cannot be read),
/// malformed (no capability in it).
Result<Capability> read_capability(const std::string& path, World& world);

/// Makes `path` with mode 0600 and one line; durable. Errors: not_found, with the path (also
/// where there is such a file already: it is left alone).
Result<void> write_secret_file(const std::string& path, std::string_view line);

ChainId chain_of(const Capability& capability);

}  // namespace cairn::cli
