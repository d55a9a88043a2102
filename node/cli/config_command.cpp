// cairn config check | show | docs.
#include <memory>
#include <ostream>

#include "node/cli/command.h"
#include "node/cli/config_arguments.h"
#include "node/config_show.h"

namespace cairn::cli {
namespace {

Exit check(const ConfigArguments& arguments, World& world) {
  const LoadedConfig loaded = load_layers(arguments, world);
  std::vector<ConfigError> errors = loaded.errors;
  if (loaded.ok()) errors = machine_errors(loaded);
  if (!errors.empty()) {
    print_errors(world.err, errors);
    return Exit::usage;
  }
  const std::vector<ConfigError> later = unavailable_values(loaded);
  if (!later.empty()) {
    print_errors(world.err, later);
    world.err << "cairn: the configuration is valid, but this version does not start with it\n";
    return Exit::failure;
  }
  world.out << "the configuration is valid\n";
  return Exit::ok;
}

Exit show(const ConfigArguments& arguments, bool json, World& world) {
  const LoadedConfig loaded = load_layers(arguments, world);
  if (!loaded.ok()) {
    print_errors(world.err, loaded.errors);
    return Exit::usage;
  }
  if (json) {
    world.out << config_as_json(loaded) << '\n';
  } else {
    world.out << config_as_toml(loaded, ShowOrigins::yes);
  }
  return Exit::ok;
}

}  // namespace

void add_config_commands(CLI::App& app, Command& command) {
  CLI::App& config = *app.add_subcommand("config", "Checks and shows the configuration");
  config.require_subcommand(1);

  CLI::App& checking = *config.add_subcommand("check", "Says whether a configuration is valid");
  auto checked = std::make_shared<ConfigArguments>();
  add_config_options(checking, *checked);
  checking.callback([checked, &command] {
    command = [checked](World& world) { return check(*checked, world); };
  });

  CLI::App& showing =
      *config.add_subcommand("show", "Shows every value in effect and where it came from");
  auto shown = std::make_shared<ConfigArguments>();
  auto json = std::make_shared<bool>(false);
  add_config_options(showing, *shown);
  showing.add_flag("--json", *json, "One JSON object for machines");
  showing.callback([shown, json, &command] {
    command = [shown, json](World& world) { return show(*shown, *json, world); };
  });

  config.add_subcommand("docs", "Prints docs/configuration.md")->callback([&command] {
    command = [](World& world) {
      world.out << configuration_page();
      return Exit::ok;
    };
  });
}

}  // namespace cairn::cli
