// serve: a node as a process. Signals, the ready line, the service manager, drain and reload. Owns
// the calling thread until the node has ended.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "node/config_layers.h"

namespace cairn {

struct ServeWorld {
  std::ostream& out;  ///< The ready line, and nothing else.
  std::ostream& err;  ///< Refusals; hints for people.
  bool hints = false;
  std::string notify_socket;  ///< As systemd sets them in the environment.
  std::string watchdog_usec;
  std::string watchdog_pid;
};

/// Runs a node until SIGTERM or SIGINT. `loaded` has passed all checks; `load_again` reads the same
/// layers anew for SIGHUP. True after a regular end; false when the node could not start, after one
/// line on world.err.
bool serve(const LoadedConfig& loaded, const std::function<LoadedConfig()>& load_again,
           const ServeWorld& world);

}  // namespace cairn
