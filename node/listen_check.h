// Whether an address could be listened at, asked without listening. Blocks for no time to speak of.
#pragma once

#include <string>

#include "base/result.h"

namespace cairn {

/// Binds and lets go at once, so that a node that cannot get its port fails before it opens its
/// store. Port 0 always succeeds. Errors: malformed, conflict (in use), denied (no right to the
/// port), unavailable (not an address of this machine); the detail is one line for a person.
Result<void> check_listen_address(const std::string& text);

}  // namespace cairn
