// TOML text to settings. Pure: no files, threads or coroutines, so that a fuzz target can own it.
#pragma once

#include <string>
#include <string_view>

#include "node/config_setting.h"

namespace cairn {

/// Configuration files beyond this are refused.
inline constexpr std::size_t kMaxConfigFileBytes = std::size_t{1} << 20;

/// Reads `text`; `name` is the file's name for messages. Unknown keys are kept (the schema finds
/// them, and tells the nearest); errors of syntax and duplicate keys are in `errors`, each with
/// line and column.
LayerSettings read_config_text(std::string_view text, const std::string& name);

}  // namespace cairn
