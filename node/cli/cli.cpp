#include "node/cli/cli.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <exception>
#include <ostream>

#include "node/build_info.h"
#include "node/config_text.h"

namespace cairn::cli {

void build_app(CLI::App& app, Command& command) {
  app.description("Cairn: a general backend for websites that never knows what it stores.");
  app.require_subcommand(1);
  app.fallthrough(false);
  app.set_version_flag("--version", std::string("cairn ") + kVersion);
  add_serve_command(app, command);
  add_block_commands(app, command);
  add_chain_commands(app, command);
  add_export_commands(app, command);
  add_config_commands(app, command);
  add_fsck_command(app, command);
  add_account_commands(app, command);
  add_gc_commands(app, command);
  add_cache_commands(app, command);
  add_doctor_command(app, command);
  add_completion_command(app, command);
  add_version_command(app, command);
}

namespace {

/// "cairn blok" names no command: tells so, with the one that may have been meant. False for every
/// other mistake.
bool told_wrong_command(const CLI::App& app, std::ostream& err) {
  const CLI::App* at = &app;
  std::string path = app.get_name();
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    path += " " + at->get_name();
  }
  const std::vector<std::string> rest = at->remaining();
  const std::vector<const CLI::App*> commands =
      at->get_subcommands([](const auto*) { return true; });
  if (rest.empty() || rest.front().starts_with('-') || commands.empty()) return false;
  std::vector<std::string> names;
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  const std::vector<std::string_view> known(names.begin(), names.end());
  err << "cairn: '" << path << "' has no command '" << rest.front() << "'";
  if (const auto meant = nearest_word(rest.front(), known))
    err << "; did you mean '" << *meant << "'?";
  err << "\nRun '" << path << " --help': it lists them.\n";
  return true;
}

}  // namespace

int run(std::vector<std::string> arguments, World& world) {
  CLI::App app;
  app.name("cairn");
  Command command;
  build_app(app, command);
  try {
    // CLI11 takes them from the back.
    std::reverse(arguments.begin(), arguments.end());
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0 && told_wrong_command(app, world.err)) {
      return static_cast<int>(Exit::usage);
    }
    const int code = app.exit(error, world.out, world.err);
    return code == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  try {
    return static_cast<int>(command(world));
  } catch (const std::exception& error) {
    world.err << "cairn: " << error.what() << '\n';
    return static_cast<int>(Exit::failure);
  }
}

}  // namespace cairn::cli
