#include "node/http/problem.h"

#include <string>

#include "base/log.h"

namespace cairn::http {
namespace {

void append_member(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  out.append(",\"").append(key).append("\":");
  append_json_string(out, value);
}

}  // namespace

void set_problem(Response& response, const Problem& problem) {
  // What the problem quotes may lie in the very response that is cleared; so the text comes first.
  std::string body = "{\"type\":";
  append_json_string(body, problem.type.empty() ? std::string("about:blank")
                                                : "/problems/" + std::string(problem.type));
  append_member(body, "title", problem.title);
  body.append(",\"status\":").append(std::to_string(problem.status));
  append_member(body, "detail", problem.detail);
  append_member(body, "hint", problem.hint);
  body.push_back('}');
  const std::uint16_t status = problem.status;
  response.set_text(status, "application/problem+json", std::move(body));
  response.fields.add_lines("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
}

}  // namespace cairn::http
