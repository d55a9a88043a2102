// AccessLog: told of every answer. Implementations write lines; the transport only reports.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cairn::http {

/// One answered request; borrowed text is valid during the call. Without query and tokens by
/// design.
struct AccessRecord {
  std::string_view method;  ///< Empty for a head that was refused.
  std::string_view host;
  std::string_view path;  ///< Percent-encoded, without the query.
  std::string_view client;
  std::string_view answered_by;
  std::uint16_t status = 0;      ///< 0: the connection broke before the answer was complete.
  std::uint64_t body_bytes = 0;  ///< Given to the kernel.
  /// From the complete head to the answer's last byte given to the kernel; 0 for a refused head.
  std::chrono::nanoseconds duration{};
};

class AccessLog {
 public:
  virtual ~AccessLog() = default;
  /// Called on core `core`'s thread; must not block.
  virtual void record(std::size_t core, const AccessRecord& record) = 0;
};

}  // namespace cairn::http
