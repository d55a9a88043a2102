// The data directory before anything is in it: made private, checked for use. And the files of the
// placement seed and of the node's secret. Start-up only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "crypto/receipt.h"

namespace cairn {

/// The name of something in `directory` that no store there, no first start and no file system's
/// root explains: the directory is somebody else's. Empty when there is none. Errors: as below.
Result<std::string> foreign_entry(const std::filesystem::path& directory);

/// Makes `directory` with mode 0700 where it is missing, takes other users' rights away where they
/// have any, and checks that this process can write there. A directory that holds other files and
/// no store is refused and left as it is. Returns a line about what was mended, or an empty one.
/// Errors: denied, unavailable; the detail names the directory and what to do.
Result<std::string> prepare_data_directory(const std::filesystem::path& directory);

/// 16 hexadecimal digits and white space around them. Errors: malformed, unavailable. The detail
/// never quotes what is in the file.
Result<std::uint64_t> read_placement_seed(const std::filesystem::path& file);

/// The node's secret, from `directory`/node.key, which is made where there is none. Errors: denied
/// (other users may read it), malformed (not 32 bytes), unavailable.
Result<NodeSecret> node_secret(const std::filesystem::path& directory, Random& random);

}  // namespace cairn
