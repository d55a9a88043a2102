// Private to crypto/: libsodium must have looked at the processor before its fast code is used. Any
// thread.
#pragma once

namespace cairn {

/// Initialises libsodium once; costs a load afterwards. Ends the program where libsodium cannot
/// run.
void sodium_ready();

}  // namespace cairn
