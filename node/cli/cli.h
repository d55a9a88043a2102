// The command line as a whole: `cairn COMMAND ...`.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "node/cli/command.h"

namespace cairn::cli {

/// Adds every command to `app`. `command` is set by parsing.
void build_app(CLI::App& app, Command& command);

/// Parses `arguments` (without the program's name), runs what they name and returns the exit code.
int run(std::vector<std::string> arguments, World& world);

}  // namespace cairn::cli
