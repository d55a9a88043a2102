// Shell completion scripts, made from the very tree of commands that parses. Pure.
#pragma once

#include <CLI/App.hpp>
#include <string>

namespace cairn::cli {

std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);
std::string fish_completion(const CLI::App& app);

}  // namespace cairn::cli
