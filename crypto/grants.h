// Grants: how the payload of a data link hands the read secret of the next epoch to those who may
// go on reading (clients/js/FORMATS.md, "Grants"). Reads them; rotations are the SDK's. Any thread.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "crypto/keys.h"

namespace cairn {

/// Whether a payload is grants rather than the application's.
bool is_grants(ByteView payload);

/// The secrets in it that `seed` opens, in order. They say nothing of who granted them: only the
/// one that the rotate link behind names is the epoch's.
std::vector<ReadSecret> open_grants(ByteView payload, const BoxSeed& seed);

}  // namespace cairn
