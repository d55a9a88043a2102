// The calls of BlockApi that have a body: put, post, missing, fetch, batch.
#include "base/block_id_text.h"
#include "node/api/batch.h"
#include "node/api/block_api.h"
#include "node/api/block_head.h"
#include "node/api/fetch_source.h"
#include "node/api/id_list.h"
#include "node/api/json_answer.h"
#include "node/api/upload.h"
#include "node/http/conditional.h"

namespace cairn::api {
bool BlockApi::may_write(const http::Request& request, http::Response& response) const {
  const auto refusal = permission_.refusal(request);
  if (refusal) refuse(response, *refusal);
  return !refusal;
}

/// What If-Match and If-None-Match say against storing the block `id`. Another client may store it
/// between this and the write, which then finds the same bytes.
Task<std::optional<Refusal>> BlockApi::refusal_of_conditions(const http::Request& request,
                                                             BlockId id) {
  const bool must_be_held = request.field("If-Match").has_value();
  if (!must_be_held && !request.field("If-None-Match")) co_return std::nullopt;
  const Result<BlockStat> stat = co_await store_.stat(id, deadline());
  if (!stat) {
    const Errc code = stat.error().code;
    // Damaged bytes match nothing, and to store them again is their repair.
    if (code != Errc::not_found && code != Errc::corrupt) co_return refusal_of(code);
    if (must_be_held) co_return Refusal::precondition_failed;
    co_return std::nullopt;
  }
  const BlockTagText tag(id);
  const bool holds = http::evaluate(request, {.etag = tag.text()}) == http::Precondition::proceed;
  co_return holds ? std::nullopt : std::optional(Refusal::precondition_failed);
}

Task<void> BlockApi::put_one(const http::Request& request, http::BodyReader& body,
                             const RouteMatch& match, http::Response& response) {
  const bool named = match.route->endpoint == Endpoint::block;
  const std::optional<BlockId> id = named ? parse_block_id(match.id) : std::nullopt;
  if (!may_write(request, response)) co_return;
  if (named && !id) co_return refuse(response, Refusal::bad_id);
  if (const auto refusal = refusal_of_body(request, options_.block_bytes)) {
    co_return refuse(response, *refusal);
  }
  if (named) {
    const auto refusal = co_await refusal_of_conditions(request, *id);
    if (refusal) co_return refuse(response, *refusal);
  }
  Taken<BlockUpload> upload = co_await read_block(request, body, bodies_, options_.block_bytes);
  if (!upload) co_return refuse(response, upload.error());
  const Block block = upload.value().block;
  const std::string text = block.id().text();
  if (named && block.id() != *id) {
    co_return refuse(response, Refusal::hash_mismatch, "the bytes received have the id " + text);
  }
  const Result<Stored> stored = co_await store_.put(block, deadline());
  if (!stored) co_return refuse(response, refusal_of(stored.error().code));
  const bool created = stored.value() == Stored::created;
  answer_json(response, created ? 201 : 200,
              "{\"id\":\"" + text + "\",\"size\":" + std::to_string(block.size_bytes()) + "}");
  if (!named) response.fields.add("Location", "/v1/blocks/" + text);
}

Task<std::optional<std::vector<BlockId>>> BlockApi::read_ids(const http::Request& request,
                                                             http::BodyReader& body,
                                                             http::Response& response) {
  const std::size_t limit_bytes = id_list_bytes(options_.ids_per_call);
  if (const auto refusal = refusal_of_body(request, limit_bytes)) {
    refuse(response, *refusal);
    co_return std::nullopt;
  }
  if (!may_be_json(request)) {
    refuse(response, Refusal::wrong_content_type);
    co_return std::nullopt;
  }
  const Taken<TextUpload> upload = co_await read_text(body, lists_, limit_bytes);
  if (!upload) {
    refuse(response, upload.error());
    co_return std::nullopt;
  }
  Result<std::vector<BlockId>> ids = parse_id_list(upload.value().text, options_.ids_per_call);
  if (!ids) {
    const bool many = ids.error().code == Errc::overloaded;
    refuse(response, many ? Refusal::too_many : Refusal::bad_json, ids.error().detail);
    co_return std::nullopt;
  }
  co_return std::move(ids.value());
}

Task<void> BlockApi::missing(const http::Request& request, http::BodyReader& body,
                             http::Response& response) {
  auto ids = co_await read_ids(request, body, response);
  if (!ids) co_return;
  const Result<std::vector<BlockId>> gone = co_await store_.missing(std::move(*ids), deadline());
  if (!gone) co_return refuse(response, refusal_of(gone.error().code));
  std::string json = "{\"missing\":[";
  json.reserve(gone.value().size() * (BlockId::kTextSize + 3) + 32);
  for (const BlockId& id : gone.value()) {
    if (json.back() != '[') json.push_back(',');
    json.append("\"").append(id.text()).append("\"");
  }
  json.append("]}");
  answer_json(response, 200, std::move(json));
}

Task<void> BlockApi::fetch(const http::Request& request, http::BodyReader& body,
                           http::Response& response) {
  auto ids = co_await read_ids(request, body, response);
  if (!ids) co_return;
  response.fields.add("Content-Type", "application/vnd.cairn.blocks");
  response.fields.add_lines("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
  response.answered_by = "api";
  const FetchSource::World world{.store = store_,
                                 .clock = clock_,
                                 .budget = fetched_,
                                 .reads = reads_ahead_,
                                 .deadline = options_.deadline,
                                 .block_bytes = options_.block_bytes};
  response.source = std::make_unique<FetchSource>(world, std::move(*ids));
}

Task<void> BlockApi::batch(const http::Request& request, http::BodyReader& body,
                           http::Response& response) {
  if (!may_write(request, response)) co_return;
  if (const auto refusal = refusal_of_body(request, options_.batch_bytes)) {
    co_return refuse(response, *refusal);
  }
  BatchCall call(store_, clock_, bodies_,
                 {.block_bytes = options_.block_bytes,
                  .body_bytes = options_.batch_bytes,
                  .blocks = options_.batch_blocks,
                  .deadline = options_.deadline});
  const auto refused = co_await call.run(body);
  if (refused) co_return refuse(response, *refused);
  answer_json(response, 200, call.results_json());
}

}  // namespace cairn::api
