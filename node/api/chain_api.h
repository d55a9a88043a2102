// ChainApi: the routes of chains over a ChainStore (docs/openapi.yaml is their contract). Shared by
// all cores; immutable but for what it keeps of the newest links.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/chain_store.h"
#include "crypto/receipt.h"
#include "node/api/errors.h"
#include "node/api/event_source.h"
#include "node/api/options.h"
#include "node/api/recent_links.h"
#include "node/api/routes.h"
#include "node/api/write_permission.h"
#include "node/http/body_reader.h"
#include "node/http/request.h"
#include "node/http/response.h"

namespace cairn::api {

class ChainApi {
 public:
  /// All of it outlives this.
  ChainApi(ChainStore& chains, const ReceiptKey& receipts, ByteBudget& bodies, const Clock& clock,
           const TokenKey& tokens, const ApiOptions& options);

  /// Answers what belongs to one of the routes of chains, by a method that it takes.
  Task<void> handle(const http::Request& request, http::BodyReader& body, const RouteMatch& match,
                    http::Response& response);

  /// Followers are told no more: their answers end with the wait that they are in.
  void end_waits() { ending_ = true; }

 private:
  Task<void> create(const http::Request& request, http::BodyReader& body, ChainId chain,
                    http::Response& response);
  Task<void> append(const http::Request& request, http::BodyReader& body, ChainId chain,
                    http::Response& response);
  Task<void> answer_conflict(const http::Request& request, ChainId chain, std::uint64_t from,
                             ChainHead head, http::Response& response);
  Task<void> answer_malformed(ChainId chain, std::string detail, http::Response& response);
  Task<void> read_head(const http::Request& request, ChainId chain, http::Response& response);
  Task<void> read_manifest(const http::Request& request, ChainId chain, http::Response& response);
  Task<void> read_links(const http::Request& request, ChainId chain, http::Response& response);
  Task<void> follow_many(const http::Request& request, http::BodyReader& body,
                         http::Response& response);
  Task<void> follow(const http::Request& request, ChainId chain, http::Response& response);
  Task<std::optional<std::string>> take_body(const http::Request& request, http::BodyReader& body,
                                             std::size_t limit_bytes, ByteBudget::Share& share,
                                             http::Response& response);
  /// The head, when the chain is held and the request may read it; else `response` says why not.
  Task<std::optional<ChainHead>> readable(const http::Request& request, ChainId chain,
                                          http::Response& response);
  FollowWorld follow_world();
  Deadline deadline() const { return clock_.in(options_.deadline); }

  ChainStore& chains_;
  const ReceiptKey& receipts_;
  ByteBudget& bodies_;
  const Clock& clock_;
  const ApiOptions options_;
  const WritePermission permission_;
  RecentLinks recent_;
  std::atomic<bool> ending_{false};
};

}  // namespace cairn::api
