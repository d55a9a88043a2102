// cairn version.
#include <memory>
#include <ostream>

#include "node/build_info.h"
#include "node/cli/command.h"

namespace cairn::cli {

void add_version_command(CLI::App& app, Command& command) {
  CLI::App& version = *app.add_subcommand("version", "Says what this build is");
  auto json = std::make_shared<bool>(false);
  version.add_flag("--json", *json, "One JSON object for machines");
  version.callback([json, &command] {
    command = [json](World& world) {
      if (*json) {
        world.out << "{\"version\":\"" << kVersion << "\",\"revision\":\"" << kRevision
                  << "\",\"compiler\":\"" << kCompiler << "\"}\n";
      } else {
        world.out << "cairn " << kVersion << " (" << kRevision << ", " << kCompiler << ")\n";
      }
      return Exit::ok;
    };
  });
}

}  // namespace cairn::cli
