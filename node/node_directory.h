// The data directory before anything is in it: made private, checked for use. And the placement
// seed's file. Start-up only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace cairn {

/// Makes `directory` with mode 0700 where it is missing, takes other users' rights away where they
/// have any, and checks that this process can write there. Returns a line about what was mended, or
/// an empty one. Errors: denied, unavailable; the detail names the directory and what to do.
Result<std::string> prepare_data_directory(const std::filesystem::path& directory);

/// 16 hexadecimal digits and white space around them. Errors: malformed, unavailable. The detail
/// never quotes what is in the file.
Result<std::uint64_t> read_placement_seed(const std::filesystem::path& file);

}  // namespace cairn
