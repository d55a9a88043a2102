// The program: hands the process's world to the command line.
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "node/cli/cli.h"

int main(int argc, char** argv) {
  // A reader that went away is an error of that write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);
  cairn::cli::World world{
      std::cin, std::cout, std::cerr, ::isatty(STDOUT_FILENO) == 1, ::isatty(STDERR_FILENO) == 1,
      {}};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    world.environment.emplace_back(*variable);
  }
  const int code = cairn::cli::run({argv + 1, argv + argc}, world);
  std::cout.flush();
  if (code == 0 && !std::cout) {
    std::cerr << "cairn: standard output cannot be written\n";
    return static_cast<int>(cairn::cli::Exit::failure);
  }
  return code;
}
