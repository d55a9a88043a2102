#include "node/cli/command.h"

namespace cairn::cli {

Exit exit_for(const Error& error) {
  switch (error.code) {
    case Errc::unavailable: return Exit::unreachable;
    case Errc::denied: return Exit::denied;
    default: return Exit::failure;
  }
}

Exit exit_for_many(std::size_t succeeded, std::size_t failed, const Error& first_failure) {
  if (failed == 0) return Exit::ok;
  return succeeded > 0 ? Exit::partial : exit_for(first_failure);
}

std::string variable_or(const World& world, const std::string& name, std::string otherwise) {
  const std::string head = name + "=";
  for (const std::string& variable : world.environment) {
    if (variable.starts_with(head)) return variable.substr(head.size());
  }
  return otherwise;
}

}  // namespace cairn::cli
