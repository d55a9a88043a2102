// cairn completion bash | zsh | fish.
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <memory>
#include <ostream>

#include "node/cli/command.h"
#include "node/cli/completion.h"

namespace cairn::cli {

void add_completion_command(CLI::App& app, Command& command) {
  CLI::App& completion = *app.add_subcommand("completion", "Prints a shell's completion script");
  auto shell = std::make_shared<std::string>();
  completion.add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion.callback([&app, shell, &command] {
    command = [&app, shell](World& world) {
      world.out << (*shell == "bash"  ? bash_completion(app)
                    : *shell == "zsh" ? zsh_completion(app)
                                      : fish_completion(app));
      return Exit::ok;
    };
  });
}

}  // namespace cairn::cli
