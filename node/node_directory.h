// The data directory before anything is in it: made private, checked for use. And the placement
// seed's file. Start-up only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

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

}  // namespace cairn
