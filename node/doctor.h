// doctor: what a machine and a configuration are like before, or while, a node runs on them. Each
// check looks at one thing and says what to do. Blocks; for the command line.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "node/config.h"

namespace cairn {

enum class Verdict : std::uint8_t { good, warning, bad };

struct Finding {
  Verdict verdict = Verdict::good;
  std::string name;    ///< "file descriptors"
  std::string detail;  ///< What was found.
  std::string advice;  ///< What to do about it; empty when good.
};

/// All checks, in the order in which a person would ask. Writes and removes one file of a few
/// kilobytes beside or in the data directory.
std::vector<Finding> examine(const Config& config, const Clock& clock);

}  // namespace cairn
