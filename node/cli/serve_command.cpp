// cairn serve.
#include <memory>
#include <ostream>

#include "node/cli/command.h"
#include "node/cli/config_arguments.h"
#include "node/serve.h"

namespace cairn::cli {
namespace {

/// Everything that can be known to be wrong without touching the data directory or a port.
std::vector<ConfigError> refusals(const LoadedConfig& loaded) {
  if (!loaded.ok()) return loaded.errors;
  std::vector<ConfigError> out = unavailable_values(loaded);
  if (out.empty()) out = machine_errors(loaded);
  return out;
}

Exit run_serve(const ConfigArguments& arguments, World& world) {
  const LoadedConfig loaded = load_layers(arguments, world);
  const std::vector<ConfigError> wrong = refusals(loaded);
  if (!wrong.empty()) {
    print_errors(world.err, wrong);
    return Exit::usage;
  }
  const auto load_again = [&arguments, &world] {
    LoadedConfig fresh = load_layers(arguments, world);
    if (fresh.ok()) fresh.errors = machine_errors(fresh);
    return fresh;
  };
  const ServeWorld serve_world{world.out,
                               world.err,
                               world.err_is_terminal,
                               variable_or(world, "NOTIFY_SOCKET", ""),
                               variable_or(world, "WATCHDOG_USEC", ""),
                               variable_or(world, "WATCHDOG_PID", "")};
  return serve(loaded, load_again, serve_world) ? Exit::ok : Exit::failure;
}

}  // namespace

void add_serve_command(CLI::App& app, Command& command) {
  CLI::App& serving = *app.add_subcommand("serve", "Runs a node");
  auto arguments = std::make_shared<ConfigArguments>();
  add_config_options(serving, *arguments);
  serving.callback([arguments, &command] {
    command = [arguments](World& world) { return run_serve(*arguments, world); };
  });
}

}  // namespace cairn::cli
