// BodyReader: a request's body as a stream, with back-pressure to the client's TCP window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/task.h"

namespace cairn::http {

/// Owned by the connection; valid during Handler::handle. One read at a time.
class BodyReader {
 public:
  virtual ~BodyReader() = default;

  /// The declared length; nothing for a chunked body.
  virtual std::optional<std::uint64_t> length() const = 0;

  /// Fills the head of `into` (not empty) and says how much; 0 at the end of the body. The first
  /// call answers "100 Continue" where the client waits for it: so refuse before reading. Errors:
  /// malformed (bad chunk framing), unavailable (the client went away, or was slower than the
  /// limits). After an error the connection closes; what the handler answers is sent for
  /// malformed and for a time-out (which the transport answers with 400 and 408 by itself).
  virtual Task<Result<std::size_t>> read(MutableByteView into) = 0;
};

}  // namespace cairn::http
