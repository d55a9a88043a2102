// The configuration in words: `cairn config show` and docs/configuration.md. Pure.
#pragma once

#include <string>

#include "node/config_layers.h"

namespace cairn {

enum class ShowOrigins : bool { no, yes };

/// The effective configuration as a TOML file that loads to the same; with origins, each line says
/// where its value came from.
std::string config_as_toml(const LoadedConfig& loaded, ShowOrigins origins);

/// One JSON object: section -> key -> value text; sites as a list. For the admin listener.
std::string config_as_json(const LoadedConfig& loaded);

/// docs/configuration.md as it must be: every key with kind, default and words.
std::string configuration_page();

}  // namespace cairn
