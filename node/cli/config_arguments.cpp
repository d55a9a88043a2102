#include "node/cli/config_arguments.h"

#include <ostream>

namespace cairn::cli {

void add_config_options(CLI::App& command, ConfigArguments& arguments) {
  command.add_option("--config", arguments.file, "Configuration file (TOML); also CAIRN_CONFIG")
      ->type_name("FILE");
  command
      .add_option("--set", arguments.sets,
                  "Sets one value over all other layers, as in --set cache.memory=1GiB")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

LoadedConfig load_layers(const ConfigArguments& arguments, const World& world) {
  ConfigSources sources;
  sources.environment = world.environment;
  sources.sets = arguments.sets;
  const std::string file =
      arguments.file.empty() ? variable_or(world, "CAIRN_CONFIG", "") : arguments.file;
  if (!file.empty()) {
    std::vector<ConfigError> errors = load_config_file(file, sources);
    if (!errors.empty()) {
      LoadedConfig failed;
      failed.config.sites.resize(1);
      failed.errors = std::move(errors);
      return failed;
    }
  }
  return load_config(sources);
}

std::vector<ConfigError> machine_errors(const LoadedConfig& loaded) {
  std::vector<ConfigError> out = exposed_secrets(loaded);
  for (ConfigError& error : missing_roots(loaded)) out.push_back(std::move(error));
  return out;
}

void print_errors(std::ostream& err, const std::vector<ConfigError>& errors) {
  for (const ConfigError& error : errors) err << "cairn: " << error_line(error) << '\n';
}

}  // namespace cairn::cli
