// What every command shares: exit codes, the streams it writes to, and how a parsed command line
// becomes a call. One thread: the one that runs main().
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/result.h"

namespace cairn::cli {

enum class Exit : int { ok = 0, failure = 1, usage = 2, partial = 3, unreachable = 4, denied = 5 };

/// The world of a command, so that tests can bring their own. All references outlive the call.
struct World {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::vector<std::string> environment;  ///< "NAME=value"
};

/// Set by the callback of the command that was named; called once everything is parsed.
using Command = std::function<Exit(World&)>;

/// unavailable -> unreachable, denied -> denied, everything else failure.
Exit exit_for(const Error& error);

/// `some` succeeded and `failed` did not: ok, partial, or the exit of the first failure.
Exit exit_for_many(std::size_t succeeded, std::size_t failed, const Error& first_failure);

/// Value of an environment variable, or `otherwise`.
std::string variable_or(const World& world, const std::string& name, std::string otherwise);

// Each adds its commands below `app`; parsing one of them sets `command`. `app` and `command`
// outlive the parsing and the call.
void add_serve_command(CLI::App& app, Command& command);
void add_block_commands(CLI::App& app, Command& command);
void add_chain_commands(CLI::App& app, Command& command);
void add_export_commands(CLI::App& app, Command& command);
void add_config_commands(CLI::App& app, Command& command);
void add_fsck_command(CLI::App& app, Command& command);
void add_account_commands(CLI::App& app, Command& command);
void add_cache_commands(CLI::App& app, Command& command);
void add_gc_commands(CLI::App& app, Command& command);
void add_doctor_command(CLI::App& app, Command& command);
void add_completion_command(CLI::App& app, Command& command);
void add_version_command(CLI::App& app, Command& command);

}  // namespace cairn::cli
