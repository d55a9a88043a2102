// What this build is. Constants.
#pragma once

namespace cairn {

extern const char* const kVersion;   ///< "0.1.0"
extern const char* const kRevision;  ///< Short commit id, or "unknown" outside a checkout.
extern const char* const kCompiler;  ///< "GNU 12.2.0"

}  // namespace cairn
