// The strict request gate: what Boost.Beast's parser lets through and a smuggler needs. Pure
// functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "node/http/fields.h"
#include "node/http/request.h"

namespace cairn::http {

/// Why a head is refused: the status, and words for the problem document. The texts are literals.
struct Refusal {
  std::uint16_t status = 0;  ///< 0: not refused.
  std::string_view reason;
  std::string_view hint;  ///< What the sender can do; never empty when refused.
  explicit operator bool() const { return status != 0; }
};

/// The result of looking at the raw bytes that have come so far.
struct HeadScan {
  std::size_t head_bytes = 0;  ///< With its final empty line; 0 while it is incomplete.
  Refusal refusal;
};

/// Looks at `bytes` from `from` on (what was scanned before: pass the earlier bytes.size()) for the
/// end of a head, and refuses bare CR, bare LF, NUL and other control characters, and folded lines
/// as soon as they appear. `max_bytes`: beyond it 431.
HeadScan scan_head(std::string_view bytes, std::size_t from, std::size_t max_bytes);

/// What the request line and the fields say, before the gate has judged them.
struct RawHead {
  std::string_view method;
  std::string_view target;
  unsigned minor_version = 1;
  std::span<const Field> fields;
};

/// Judges a parsed head (RFC 9110, 9112; the rules are listed in docs/architecture.md under the
/// gate) and fills `request`, but for `peer`, `secure` and `received`.
Refusal admit(const RawHead& head, Request& request);

}  // namespace cairn::http
