// Rules between keys, values of a later version, and files that must be private. Reads nothing but
// the metadata of secret files and roots.
#pragma once

#include "node/config_layers.h"

namespace cairn {

/// Adds an error to `loaded` for each broken rule between keys.
void check_config(LoadedConfig& loaded);

}  // namespace cairn
