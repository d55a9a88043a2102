// The one table from what went wrong to what a client is told (RFC 9457 problems). Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "node/http/problem.h"
#include "node/http/response.h"

namespace cairn::api {

/// Every way in which the API says no.
enum class Refusal : std::uint8_t {
  bad_id,
  bad_json,
  bad_frames,
  bad_body,
  bad_query,
  bad_handle,
  login_needed,
  login_refused,
  bad_token,
  fetch_token_needed,
  writes_closed,
  link_denied,
  account_denied,
  account_blocked,
  denied,
  not_held,
  no_such_chain,
  no_such_route,
  method_not_allowed,
  body_timeout,
  conflict,
  handle_taken,
  chain_deleted,
  length_needed,
  precondition_failed,
  too_large,
  too_many,
  encoded_body,
  wrong_content_type,
  hash_mismatch,
  empty_block,
  bad_manifest,
  bad_link,
  bad_record,
  refs_missing,
  too_often,
  corrupt,
  unavailable,
  overloaded,
  full,
};
inline constexpr std::size_t kRefusalCount = static_cast<std::size_t>(Refusal::full) + 1;

/// Status, type, title and hint of `refusal`; without a detail.
http::Problem problem_of(Refusal refusal);

/// What a store's failure is to a client. Never not_held for anything but Errc::not_found.
Refusal refusal_of(Errc code);

/// Makes `response` that problem, with Retry-After where trying again helps and WWW-Authenticate
/// where a login is asked for.
void refuse(http::Response& response, Refusal refusal, std::string_view detail = {});

/// As refuse(), with further members of the document: `members` is JSON text as it stands between
/// braces.
void refuse_with(http::Response& response, Refusal refusal, std::string_view detail,
                 std::string_view members);

/// The problem as one JSON object without surrounding members: "status":…,"type":…,"title":….
void append_problem_members(std::string& out, Refusal refusal);

}  // namespace cairn::api
