// SiteApi: the HTTP API of one site, everything below /v1/ (docs/openapi.yaml is its contract).
// Finds the route; BlockApi, ChainApi and AccountApi answer. Shared by all cores; immutable but for
// their gates.
#pragma once

#include <chrono>
#include <string>

#include "base/block_store.h"
#include "base/budget.h"
#include "base/chain_store.h"
#include "crypto/receipt.h"
#include "node/api/account_api.h"
#include "node/api/block_api.h"
#include "node/api/chain_api.h"
#include "node/api/cors.h"
#include "node/api/options.h"
#include "node/http/handler.h"

namespace cairn::api {

/// What the APIs of all sites work with; all of it outlives them.
struct ApiWorld {
  BlockStore& blocks;
  ChainStore& chains;
  const ReceiptKey& receipts;
  ByteBudget& bodies;  ///< Bounds what is on its way in.
  const Clock& clock;
  AccountWorld accounts;
};

class SiteApi final : public http::Handler {
 public:
  /// Throws std::invalid_argument for options over their limits.
  SiteApi(const ApiWorld& world, const ApiOptions& options);

  /// A GET or HEAD of a block that the store answers at once is answered without waiting and
  /// without allocating.
  bool try_handle(const http::Request& request, http::Response& response) override;
  Task<void> handle(const http::Request& request, http::BodyReader& body,
                    http::Response& response) override;

  /// Ends what would wait for news: those who follow chains are told no more.
  void end_waits() { chains_.end_waits(); }

  /// Before destruction, while the cores still run: starts no more reads ahead and waits for those
  /// under way, `wait` at most (each ends by its own deadline). True when none is left.
  bool drain(std::chrono::milliseconds wait) { return blocks_.drain(wait); }

 private:
  Task<void> dispatch(const http::Request& request, http::BodyReader& body, const RouteMatch& match,
                      http::Response& response);
  void answer_document(const http::Request& request, const std::string& tag, std::string_view json,
                       http::Response& response) const;

  BlockApi blocks_;
  ChainApi chains_;
  AccountApi accounts_;
  const Cors cors_;
  const std::string openapi_tag_;
  const std::string node_json_;
  const std::string node_tag_;
};

}  // namespace cairn::api
