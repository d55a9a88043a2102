// Handler: what answers requests. One request type and one response type for every transport.
#pragma once

#include "base/task.h"
#include "node/http/body_reader.h"
#include "node/http/request.h"
#include "node/http/response.h"

namespace cairn::http {

/// Called on the connection's core; implementations are shared by all cores.
class Handler {
 public:
  virtual ~Handler() = default;

  /// Answers without waiting: fills `response` (clean when called) and returns true; or returns
  /// false with `response` untouched when handle() is needed. Never reads a body, never blocks; a
  /// source that it sets is waited for like any other.
  virtual bool try_handle(const Request& request, Response& response) = 0;

  /// Answers, waiting where needed. `request`, `body` and `response` outlive the Task. A body that
  /// is not read to its end is discarded by the transport, or the connection closed.
  virtual Task<void> handle(const Request& request, BodyReader& body, Response& response) = 0;
};

}  // namespace cairn::http
