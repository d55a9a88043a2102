// parse_head: a complete head's bytes to a Request, by Boost.Beast's parser and then the gate.
// Pure.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "node/http/request.h"
#include "node/http/request_gate.h"

namespace cairn::http {

/// `head` is complete (scan_head found its end). On success `request` and `fields` borrow from
/// `head`, and `request.fields` from `fields`, whose capacity is reused. More than `max_fields`
/// fields: 431.
Refusal parse_head(std::string_view head, std::size_t max_fields, std::vector<Field>& fields,
                   Request& request);

}  // namespace cairn::http
