// --config and --set, as every command that needs a configuration takes them.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "node/cli/command.h"
#include "node/config_layers.h"

namespace cairn::cli {

struct ConfigArguments {
  std::string file;
  std::vector<std::string> sets;
};

/// `arguments` outlives the parsing.
void add_config_options(CLI::App& command, ConfigArguments& arguments);

/// All layers merged; what is wrong is in `errors`.
LoadedConfig load_layers(const ConfigArguments& arguments, const World& world);

/// What the files that a good configuration names are wrong about: exposed secrets, missing roots.
std::vector<ConfigError> machine_errors(const LoadedConfig& loaded);

/// One line an error, on `err`.
void print_errors(std::ostream& err, const std::vector<ConfigError>& errors);

}  // namespace cairn::cli
