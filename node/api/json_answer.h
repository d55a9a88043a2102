// An answer that is a JSON document of its moment. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "node/http/response.h"

namespace cairn::api {

/// Makes `response` a `status` with that body, which no cache keeps.
inline void answer_json(http::Response& response, std::uint16_t status, std::string json) {
  response.set_text(status, "application/json", std::move(json));
  response.fields.add_lines("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
  response.answered_by = "api";
}

}  // namespace cairn::api
