#include "node/api/errors.h"

#include <array>

#include "base/log.h"

namespace cairn::api {
namespace {

struct Row {
  Refusal refusal;
  std::uint16_t status;
  std::string_view type;
  std::string_view title;
  std::string_view hint;
};

constexpr std::array<Row, kRefusalCount> kTable{{
    {Refusal::bad_id, 400, "bad-id", "This is not an id.",
     "An id is a SHA-256: 64 lower-case hexadecimal digits. A block's may be its CIDv1 too."},
    {Refusal::bad_json, 400, "bad-json", "The body is not the JSON that this call takes.",
     "Send {\"ids\":[\"…\"]}, in UTF-8, and nothing else."},
    {Refusal::bad_frames, 400, "bad-frames", "The body does not end where a frame ends.",
     "Each frame is its length as 4 bytes, little-endian, and that many bytes. Frames that were "
     "complete may have been stored."},
    {Refusal::bad_body, 400, "bad-body", "The body could not be read.",
     "Send as many bytes as Content-Length says, or well-formed chunks."},
    {Refusal::bad_query, 400, "bad-query", "The query is not one that this call takes.",
     "from is a number of 1 or more, limit one of 1 to 256."},
    {Refusal::bad_handle, 400, "bad-handle", "This is not a handle.",
     "3 to 64 of a-z, 0-9 and . _ - + @, with a letter or digit at both ends."},
    {Refusal::login_needed, 401, "login-needed", "Writing here needs an account.",
     "Log in and send the token as Authorization: Bearer."},
    {Refusal::login_refused, 401, "login-refused", "The login is not right.",
     "Check handle and password; ask for a new challenge, which is good for one login."},
    {Refusal::bad_token, 401, "bad-token", "The token is not good for this, or not any more.",
     "Log in again."},
    {Refusal::fetch_token_needed, 401, "fetch-token-needed",
     "Reading this chain needs its fetch token.",
     "Send it in base64url as Authorization: Cairn-Fetch."},
    {Refusal::writes_closed, 403, "writes-closed", "This site takes no blocks.",
     "Store at another site, or have the operator set write = \"anyone\" for this one."},
    {Refusal::link_denied, 403, "link-denied", "A link is not signed by one who may write here.",
     "Sign it with the key of a writer that the chain has now; rotate and delete links with its "
     "admin key."},
    {Refusal::account_denied, 403, "account-denied", "This account cannot be made or changed so.",
     "A record is signed with the account's login key; a new account may need an invite "
     "(Cairn-Invite), and not every site takes new ones."},
    {Refusal::account_blocked, 403, "account-blocked", "The account is blocked.",
     "Ask the operator."},
    {Refusal::denied, 403, "denied", "This is not allowed.", "Ask the operator who may do this."},
    {Refusal::not_held, 404, "not-held", "No block of that id is held.",
     "Check the id, or store the block with PUT."},
    {Refusal::no_such_chain, 404, "no-such-chain", "No chain of that id is held.",
     "Check the id, or create the chain by putting its manifest."},
    {Refusal::no_such_route, 404, "no-such-route", "The API has no such path.",
     "GET /v1/openapi.json describes every path."},
    {Refusal::method_not_allowed, 405, "method-not-allowed", "The path does not take this method.",
     "Allow names those that it takes."},
    {Refusal::body_timeout, 408, "body-timeout", "The body did not arrive in time.",
     "Send it again without pauses; smaller blocks arrive sooner."},
    {Refusal::conflict, 409, "conflict", "Somebody else was first.", "Read the present state."},
    {Refusal::handle_taken, 409, "handle-taken",
     "The handle has another account, or a newer record.",
     "Choose another handle; to change your own account, log in and raise the record's version."},
    {Refusal::chain_deleted, 410, "chain-deleted", "The chain was ended by a delete link.",
     "Nothing can follow it. Begin another chain."},
    {Refusal::length_needed, 411, "length-needed", "The body has neither a length nor chunks.",
     "Send Content-Length, or Transfer-Encoding: chunked."},
    {Refusal::precondition_failed, 412, "precondition-failed",
     "A condition of the request does not hold.",
     "HEAD tells the present state; change the condition or leave it out."},
    {Refusal::too_large, 413, "too-large", "The body is larger than the limit.",
     "Cut what you store into smaller blocks."},
    {Refusal::too_many, 413, "too-many", "The call names more than it may.",
     "Split it into several calls."},
    {Refusal::encoded_body, 415, "encoded-body", "The body must not be encoded.",
     "Send it without Content-Encoding."},
    {Refusal::wrong_content_type, 415, "wrong-content-type",
     "The body is not of the type that this call takes.",
     "Send Content-Type: application/json; for links application/vnd.cairn.links."},
    {Refusal::hash_mismatch, 422, "hash-mismatch", "The bytes are not those that the id names.",
     "Take the SHA-256 of the very bytes that are sent, or POST them and be told their id."},
    {Refusal::empty_block, 422, "empty-block", "A block has at least one byte.",
     "Leave empty contents out; they need no block."},
    {Refusal::bad_manifest, 422, "bad-manifest", "These bytes are no manifest of a chain.",
     "docs/formats.md says what a manifest is; its id is the SHA-256 of its bytes."},
    {Refusal::bad_link, 422, "bad-link", "These links do not follow the chain.",
     "docs/formats.md says what a link is. Read the head: the next link has its seq + 1 and its "
     "epoch."},
    {Refusal::bad_record, 422, "bad-record", "These bytes are no account record of that handle.",
     "docs/formats.md says what a record is."},
    {Refusal::refs_missing, 424, "refs-missing", "The links refer to blocks that are not held.",
     "Store the blocks that are named, then send the same links again."},
    {Refusal::too_often, 429, "too-often",
     "Too many calls about accounts from here, or about this one.", "Wait a minute."},
    {Refusal::corrupt, 500, "corrupt", "The block is held, but its bytes have been damaged.",
     "Store it again, and it is repaired."},
    {Refusal::unavailable, 503, "unavailable", "No holder could be reached in time.",
     "Try again after the time that Retry-After says."},
    {Refusal::overloaded, 503, "overloaded", "Too much is under way just now.",
     "Try again after the time that Retry-After says."},
    {Refusal::full, 507, "full", "There is no room left for new blocks.",
     "Reading goes on. The operator has to make room."},
}};

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].refusal) != i) return false;
  }
  return true;
}
static_assert(table_is_in_order());

const Row& row_of(Refusal refusal) {
  return kTable[static_cast<std::size_t>(refusal)];
}

}  // namespace

http::Problem problem_of(Refusal refusal) {
  const Row& row = row_of(refusal);
  return {
      .status = row.status, .type = row.type, .title = row.title, .detail = {}, .hint = row.hint};
}

Refusal refusal_of(Errc code) {
  switch (code) {
    case Errc::not_found: return Refusal::not_held;
    case Errc::corrupt: return Refusal::corrupt;
    case Errc::unavailable:
    case Errc::wrong_epoch: return Refusal::unavailable;
    case Errc::conflict: return Refusal::conflict;
    case Errc::overloaded: return Refusal::overloaded;
    case Errc::full: return Refusal::full;
    case Errc::malformed: return Refusal::bad_body;
    case Errc::denied: return Refusal::denied;
  }
  return Refusal::unavailable;
}

void refuse_with(http::Response& response, Refusal refusal, std::string_view detail,
                 std::string_view members) {
  refuse(response, refusal, detail);
  const http::Piece& document = response.pieces.front();
  std::string text(as_text(document.bytes()));
  text.back() = ',';
  text.append(members).append("}");
  response.pieces.clear();
  response.pieces.push_back(http::Piece::text(std::move(text)));
}

void refuse(http::Response& response, Refusal refusal, std::string_view detail) {
  http::Problem problem = problem_of(refusal);
  problem.detail = detail;
  http::set_problem(response, problem);
  response.answered_by = "api";
  if (problem.status == 429) response.fields.add_lines("Retry-After: 60\r\n");
  if (problem.status == 503) response.fields.add_lines("Retry-After: 1\r\n");
  if (problem.status == 401 && refusal != Refusal::fetch_token_needed) {
    response.fields.add_lines("WWW-Authenticate: Bearer\r\n");
  }
  if (refusal == Refusal::fetch_token_needed) {
    response.fields.add_lines("WWW-Authenticate: Cairn-Fetch\r\n");
  }
}

void append_problem_members(std::string& out, Refusal refusal) {
  const Row& row = row_of(refusal);
  out.append("\"status\":").append(std::to_string(row.status));
  out.append(",\"type\":\"/problems/").append(row.type).append("\",\"title\":");
  append_json_string(out, row.title);
}

}  // namespace cairn::api
