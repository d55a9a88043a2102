#include "node/api/block_api.h"

#include <stdexcept>

#include "base/block_id_text.h"
#include "node/api/block_head.h"
#include "node/http/conditional.h"

namespace cairn::api {
namespace {

/// What, of a request's fields, changes the answer about a held block; found in one pass.
struct Wishes {
  bool conditional = false;
  bool range = false;

  explicit Wishes(const http::Request& request) {
    for (const http::Field& field : request.fields) {
      switch (field.name.size()) {
        case 5: range = range || http::equals_ignoring_case(field.name, "Range"); break;
        case 8:
          conditional = conditional || http::equals_ignoring_case(field.name, "If-Match");
          break;
        case 13:
          conditional = conditional || http::equals_ignoring_case(field.name, "If-None-Match");
          break;
        default: break;
      }
    }
  }
};

}  // namespace

BlockApi::BlockApi(BlockStore& store, ByteBudget& bodies, const Clock& clock,
                   const TokenKey& tokens, const ApiOptions& options)
    : store_(store),
      bodies_(bodies),
      clock_(clock),
      options_(options),
      permission_(options, tokens, clock),
      lists_(bodies.limit_bytes() / 4),
      fetched_(bodies.limit_bytes() / 2) {
  if (options_.block_bytes == 0 || options_.block_bytes > kMaxBlockBytes) {
    throw std::invalid_argument("block_bytes is not between 1 and 16 MiB");
  }
  if (options_.ids_per_call > kMaxIdsPerCall) {
    throw std::invalid_argument("ids_per_call is over 1000");
  }
}

bool BlockApi::drain(std::chrono::milliseconds wait) {
  reads_ahead_.close();
  return reads_ahead_.wait_empty(wait);
}

bool BlockApi::try_read(const http::Request& request, std::string_view id,
                        http::Response& response) {
  const auto block = parse_block_id(id);
  if (!block) return false;
  std::optional<Result<Found>> answer = store_.try_get(*block);
  if (!answer) return false;
  if (*answer) {
    answer_found(request, std::move(answer->value()), response);
  } else {
    refuse(response, refusal_of(answer->error().code));
  }
  return true;
}

void BlockApi::answer_found(const http::Request& request, Found found,
                            http::Response& response) const {
  const Wishes wishes(request);
  const BlockStat stat{found.block.size_bytes(), found.source};
  if (request.method == http::Method::head || wishes.conditional) {
    answer_stat(request, found.block.id(), stat, response);
    if (response.status != 200 || request.method == http::Method::head) return;
  } else {
    render_block_head(found.block.id(), found.source, response.fields);
    response.answered_by = name_of(found.source);
  }
  if (!wishes.range) {
    const ByteView bytes = found.block.bytes();
    response.pieces.push_back(http::Piece::of_block(std::move(found.block), bytes));
    return;
  }
  const BlockTagText tag(found.block.id());
  const ByteView bytes = found.block.bytes();
  response.pieces.push_back(http::Piece::of_block(std::move(found.block), bytes));
  http::apply_range(request, {.etag = tag.text()}, response);
}

void BlockApi::answer_stat(const http::Request& request, const BlockId& id, const BlockStat& stat,
                           http::Response& response) const {
  const BlockTagText tag(id);
  const http::Precondition verdict = http::evaluate(request, {.etag = tag.text()});
  if (verdict == http::Precondition::failed) {
    refuse(response, Refusal::precondition_failed);
    return;
  }
  render_block_head(id, stat.source, response.fields);
  response.answered_by = name_of(stat.source);
  if (verdict == http::Precondition::not_modified) {
    response.status = 304;
  } else if (request.method == http::Method::head) {
    response.head_length = stat.size_bytes;
  }
}

Task<void> BlockApi::read_one(const http::Request& request, BlockId id, http::Response& response) {
  // What the id alone decides needs no bytes: HEAD, and a condition that ends the request.
  const BlockTagText tag(id);
  const bool without_bytes =
      request.method == http::Method::head ||
      http::evaluate(request, {.etag = tag.text()}) != http::Precondition::proceed;
  if (without_bytes) {
    const Result<BlockStat> stat = co_await store_.stat(id, deadline());
    if (stat) co_return answer_stat(request, id, stat.value(), response);
    co_return refuse(response, refusal_of(stat.error().code));
  }
  Result<Found> found = co_await store_.get(id, deadline());
  if (found) co_return answer_found(request, std::move(found.value()), response);
  refuse(response, refusal_of(found.error().code));
}

Task<void> BlockApi::handle(const http::Request& request, http::BodyReader& body,
                            const RouteMatch& match, http::Response& response) {
  switch (match.route->endpoint) {
    case Endpoint::block:
      if (!is_read(request.method)) co_return co_await put_one(request, body, match, response);
      if (const auto id = parse_block_id(match.id)) {
        co_return co_await read_one(request, *id, response);
      }
      co_return refuse(response, Refusal::bad_id);
    case Endpoint::blocks: co_return co_await put_one(request, body, match, response);
    case Endpoint::missing: co_return co_await missing(request, body, response);
    case Endpoint::fetch: co_return co_await fetch(request, body, response);
    case Endpoint::batch: co_return co_await batch(request, body, response);
    default: co_return refuse(response, Refusal::no_such_route);
  }
}

}  // namespace cairn::api
