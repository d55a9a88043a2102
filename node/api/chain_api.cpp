#include "node/api/chain_api.h"

#include "crypto/link.h"
#include "crypto/manifest.h"
#include "node/api/chain_answers.h"
#include "node/api/chain_request.h"
#include "node/api/frames.h"
#include "node/api/json_answer.h"
#include "node/api/live_request.h"
#include "node/api/live_source.h"
#include "node/api/upload.h"
#include "node/http/conditional.h"

namespace cairn::api {
namespace {

constexpr std::size_t kRecentBytes = std::size_t{8} << 20;
constexpr std::size_t kMaxAppendBytes = kMaxLinksPerCall * (kFrameLengthBytes + kMaxLinkBytes);
/// A page so far behind the head, and full, will not be asked for again with another answer.
constexpr std::uint64_t kSettledBehind = 1024;

std::string tag_of(const ChainHead& head) {
  return "\"" + head.link.text() + "\"";
}

/// What a failed read of a chain is to the client.
void refuse_read(http::Response& response, const Error& error) {
  const bool gone = error.code == Errc::not_found;
  refuse(response, gone ? Refusal::no_such_chain : refusal_of(error.code));
}

bool may_be_links(const http::Request& request) {
  const auto type = request.field("Content-Type");
  return !type || http::equals_ignoring_case(*type, "application/vnd.cairn.links") ||
         http::equals_ignoring_case(*type, "application/octet-stream");
}

std::string missing_member(const std::vector<BlockId>& ids) {
  std::string out = "\"missing\":[";
  for (const BlockId& id : ids) {
    if (out.back() != '[') out.push_back(',');
    out.append("\"").append(id.text()).append("\"");
  }
  return out.append("]");
}

/// Seq of the first link, where it has the form of one.
std::uint64_t first_seq_of(const std::vector<Bytes>& links) {
  const auto link = LinkView::parse(links.front());
  return link ? link.value().fields().seq : 1;
}

void begin_events(http::Response& response) {
  response.answered_by = "api";
  response.fields.add_lines(
      "Content-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nX-Accel-Buffering: no\r\n");
}

}  // namespace

ChainApi::ChainApi(ChainStore& chains, const ReceiptKey& receipts, ByteBudget& bodies,
                   const Clock& clock, const TokenKey& tokens, const ApiOptions& options)
    : chains_(chains),
      receipts_(receipts),
      bodies_(bodies),
      clock_(clock),
      options_(options),
      permission_(options, tokens, clock),
      recent_(kRecentBytes) {}

Task<void> ChainApi::handle(const http::Request& request, http::BodyReader& body,
                            const RouteMatch& match, http::Response& response) {
  if (match.route->endpoint == Endpoint::live) {
    co_return co_await follow_many(request, body, response);
  }
  const auto chain = ChainId::from_text(match.id);
  const bool writes = !is_read(request.method);
  if (writes) {
    if (const auto refusal = permission_.refusal(request)) co_return refuse(response, *refusal);
  }
  if (!chain) co_return refuse(response, Refusal::bad_id);
  switch (match.route->endpoint) {
    case Endpoint::chain:
      if (writes) co_return co_await create(request, body, *chain, response);
      co_return co_await read_head(request, *chain, response);
    case Endpoint::manifest: co_return co_await read_manifest(request, *chain, response);
    case Endpoint::links:
      if (writes) co_return co_await append(request, body, *chain, response);
      co_return co_await read_links(request, *chain, response);
    case Endpoint::events: co_return co_await follow(request, *chain, response);
    default: co_return refuse(response, Refusal::no_such_route);
  }
}

Task<std::optional<std::string>> ChainApi::take_body(const http::Request& request,
                                                     http::BodyReader& body,
                                                     std::size_t limit_bytes,
                                                     ByteBudget::Share& share,
                                                     http::Response& response) {
  if (const auto refusal = refusal_of_body(request, limit_bytes)) {
    refuse(response, *refusal);
    co_return std::nullopt;
  }
  Taken<TextUpload> upload = co_await read_text(body, bodies_, limit_bytes);
  if (!upload) {
    refuse(response, upload.error().refusal, upload.error().detail);
    co_return std::nullopt;
  }
  share = std::move(upload.value().share);
  co_return std::move(upload.value().text);
}

Task<void> ChainApi::create(const http::Request& request, http::BodyReader& body, ChainId chain,
                            http::Response& response) {
  ByteBudget::Share share;
  const auto text = co_await take_body(request, body, kMaxManifestBytes, share, response);
  if (!text) co_return;
  const ByteView raw = as_bytes(*text);
  if (chain_id_of(raw) != chain) {
    co_return refuse(response, Refusal::hash_mismatch,
                     "the bytes received have the id " + chain_id_of(raw).text());
  }
  const auto stored = co_await chains_.create(Bytes(raw.begin(), raw.end()), deadline());
  if (!stored) {
    switch (stored.error().code) {
      case Errc::malformed:
        co_return refuse(response, Refusal::bad_manifest, stored.error().detail);
      case Errc::conflict: co_return refuse(response, Refusal::chain_deleted);
      default: co_return refuse(response, refusal_of(stored.error().code));
    }
  }
  const bool created = stored.value() == Stored::created;
  answer_json(response, created ? 201 : 200, "{\"chain\":\"" + chain.text() + "\"}");
}

Task<void> ChainApi::append(const http::Request& request, http::BodyReader& body, ChainId chain,
                            http::Response& response) {
  if (!may_be_links(request)) co_return refuse(response, Refusal::wrong_content_type);
  ByteBudget::Share share;
  const auto text = co_await take_body(request, body, kMaxAppendBytes, share, response);
  if (!text) co_return;
  auto links = parse_link_frames(*text);
  if (!links) {
    const bool many = links.error().code == Errc::overloaded;
    co_return refuse(response, many ? Refusal::too_many : Refusal::bad_frames,
                     links.error().detail);
  }
  const std::uint64_t first = first_seq_of(links.value());
  // Before the append: followers hear of it before this does.
  const Bytes& last = links.value().back();
  Receipt receipt{.chain = chain, .seq = 0, .link = link_id_of(last), .epoch = 0, .time = {}};
  if (const auto view = LinkView::parse(last)) {
    receipt.seq = view.value().fields().seq;
    receipt.epoch = view.value().fields().epoch;
    recent_.offer(receipt.link, receipt.seq, last);
  }
  const Appended done = co_await chains_.append(chain, std::move(links.value()), deadline());
  if (done.result) {
    // Of what was sent, not of the head: whoever sends an old link again is told nothing new.
    receipt.time = clock_.wall();
    const bool created = done.result.value() == Stored::created;
    co_return answer_json(response, created ? 201 : 200, receipt_json(receipt, receipts_));
  }
  const Error& error = done.result.error();
  switch (error.code) {
    case Errc::conflict:
      co_return co_await answer_conflict(request, chain, first, done.head, response);
    case Errc::denied: co_return refuse(response, Refusal::link_denied, error.detail);
    case Errc::malformed: co_return co_await answer_malformed(chain, error.detail, response);
    case Errc::not_found:
      if (done.missing.empty()) co_return refuse(response, Refusal::no_such_chain);
      co_return refuse_with(response, Refusal::refs_missing, {}, missing_member(done.missing));
    default: co_return refuse(response, refusal_of(error.code));
  }
}

Task<void> ChainApi::answer_malformed(ChainId chain, std::string detail, http::Response& response) {
  const auto head = co_await chains_.head(chain, deadline());
  const bool deleted = head.has_value() && head.value().removed;
  refuse(response, deleted ? Refusal::chain_deleted : Refusal::bad_link, detail);
}

Task<void> ChainApi::answer_conflict(const http::Request& request, ChainId chain,
                                     std::uint64_t from, ChainHead head, http::Response& response) {
  if (head.removed) co_return refuse(response, Refusal::chain_deleted);
  // Whoever may not read the chain is told that somebody was first, and nothing else.
  if (!may_read(request, head)) co_return refuse(response, Refusal::conflict);
  const auto page = co_await chains_.links(chain, from, kMaxLinksPerCall, deadline());
  if (!page) co_return refuse_read(response, page.error());
  // A rotate link may have changed the token since.
  if (!may_read(request, page.value().head)) co_return refuse(response, Refusal::conflict);
  refuse_with(response, Refusal::conflict, {}, page_members(page.value()));
}

Task<std::optional<ChainHead>> ChainApi::readable(const http::Request& request, ChainId chain,
                                                  http::Response& response) {
  const auto head = co_await chains_.head(chain, deadline());
  if (!head) {
    refuse_read(response, head.error());
    co_return std::nullopt;
  }
  if (!may_read(request, head.value())) {
    refuse(response, Refusal::fetch_token_needed);
    co_return std::nullopt;
  }
  co_return head.value();
}

Task<void> ChainApi::read_head(const http::Request& request, ChainId chain,
                               http::Response& response) {
  auto head = co_await readable(request, chain, response);
  if (!head) co_return;
  const auto wait = preferred_wait(request);
  const bool known =
      http::evaluate(request, {.etag = tag_of(*head)}) == http::Precondition::not_modified;
  if (wait && known && !head->removed && !ending_) {
    const auto news = co_await chains_.wait_beyond(chain, head->seq, clock_.in(*wait));
    if (!news) co_return refuse_read(response, news.error());
    head = news.value();
    // The gate's token may have changed meanwhile.
    if (!may_read(request, *head)) co_return refuse(response, Refusal::fetch_token_needed);
  }
  const std::string tag = tag_of(*head);
  const http::Precondition verdict = http::evaluate(request, {.etag = tag});
  if (verdict == http::Precondition::failed) {
    co_return refuse(response, Refusal::precondition_failed);
  }
  answer_json(response, 200, head_json(*head));
  if (verdict == http::Precondition::not_modified) {
    response.clear();
    response.status = 304;
    response.answered_by = "api";
  }
  response.fields.add("ETag", tag);
  if (wait) response.fields.add_lines("Preference-Applied: wait\r\n");
}

Task<void> ChainApi::read_manifest(const http::Request& request, ChainId chain,
                                   http::Response& response) {
  auto manifest = co_await chains_.manifest(chain, deadline());
  if (!manifest) co_return refuse_read(response, manifest.error());
  const auto head = co_await readable(request, chain, response);
  if (!head) co_return;
  response.answered_by = "api";
  response.fields.add("Content-Type", "application/octet-stream");
  response.fields.add_lines(head->fetch_token_hash
                                ? "Cache-Control: private, no-store\r\n"
                                : "Cache-Control: public, max-age=31536000, immutable\r\n");
  response.fields.add_lines("X-Content-Type-Options: nosniff\r\n");
  response.pieces.push_back(http::Piece::text(std::string(as_text(manifest.value()))));
}

Task<void> ChainApi::read_links(const http::Request& request, ChainId chain,
                                http::Response& response) {
  const auto query = parse_page_query(request.query);
  if (!query) co_return refuse(response, Refusal::bad_query);
  const auto head = co_await readable(request, chain, response);
  if (!head) co_return;
  const auto page = co_await chains_.links(chain, query->from, query->limit, deadline());
  if (!page) co_return refuse_read(response, page.error());
  const LinkPage& found = page.value();
  // A rotate link may have changed the token since.
  if (!may_read(request, found.head)) co_return refuse(response, Refusal::fetch_token_needed);
  const bool json = wants_json(request);
  response.answered_by = "api";
  response.fields.add("Content-Type", json ? "application/json" : "application/vnd.cairn.links");
  const bool settled = !found.head.fetch_token_hash && found.first == query->from &&
                       found.links.size() == query->limit &&
                       query->from + query->limit + kSettledBehind <= found.head.seq;
  if (settled && !json) {
    response.fields.add_lines("Cache-Control: public, max-age=31536000, immutable\r\n");
  } else {
    response.fields.add_lines("Cache-Control: private, no-store\r\n");
  }
  response.fields.add_lines("Vary: Accept\r\nX-Content-Type-Options: nosniff\r\n");
  std::string text = page_frames(found);
  if (json) {
    text = "{\"first\":" + std::to_string(found.first);
    text.append(",").append(page_members(found)).append("}");
  }
  response.pieces.push_back(http::Piece::text(std::move(text)));
}

Task<void> ChainApi::follow(const http::Request& request, ChainId chain, http::Response& response) {
  const auto head = co_await readable(request, chain, response);
  if (!head) co_return;
  // Without a cursor a follower hears of what comes from now on.
  const std::uint64_t seen = last_event_of(request).value_or(head->seq);
  begin_events(response);
  response.source =
      std::make_unique<EventSource>(follow_world(), ChainCursor(*head, std::min(seen, head->seq)));
}

FollowWorld ChainApi::follow_world() {
  return {.chains = chains_,
          .clock = clock_,
          .recent = recent_,
          .ending = ending_,
          .deadline = options_.deadline,
          .heartbeat = options_.heartbeat};
}

Task<void> ChainApi::follow_many(const http::Request& request, http::BodyReader& body,
                                 http::Response& response) {
  if (!may_be_json(request)) co_return refuse(response, Refusal::wrong_content_type);
  ByteBudget::Share share;
  const auto text = co_await take_body(request, body, kMaxLiveBytes, share, response);
  if (!text) co_return;
  auto starts = parse_live_request(*text);
  if (!starts) {
    const bool many = starts.error().code == Errc::overloaded;
    co_return refuse(response, many ? Refusal::too_many : Refusal::bad_json, starts.error().detail);
  }
  begin_events(response);
  response.source = std::make_unique<LiveSource>(follow_world(), std::move(starts.value()));
}

}  // namespace cairn::api
