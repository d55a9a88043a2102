// RFC 9457 problem documents: every refusal is one.
#pragma once

#include <cstdint>
#include <string_view>

#include "node/http/response.h"

namespace cairn::http {

struct Problem {
  std::uint16_t status = 400;
  std::string_view
      type;  ///< Last part of the type URI: "hash-mismatch" -> "/problems/hash-mismatch".
  std::string_view title;   ///< The same words for every occurrence.
  std::string_view detail;  ///< What happened here; may be empty. Escaped; may quote outside input.
  std::string_view hint;    ///< What a person can do next; may be empty.
};

/// Makes `response` (cleared first) that problem, as application/problem+json, never cached.
void set_problem(Response& response, const Problem& problem);

}  // namespace cairn::http
