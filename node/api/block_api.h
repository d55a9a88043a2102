// BlockApi: the routes of blocks over a BlockStore (docs/openapi.yaml is their contract). Shared by
// all cores; immutable but for its gate.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "base/block_store.h"
#include "base/budget.h"
#include "base/gate.h"
#include "base/task.h"
#include "node/api/errors.h"
#include "node/api/options.h"
#include "node/api/routes.h"
#include "node/api/write_permission.h"
#include "node/http/body_reader.h"
#include "node/http/request.h"
#include "node/http/response.h"

namespace cairn::api {

class BlockApi {
 public:
  /// `store`, `bodies` (the bound on blocks that are on their way in, shared by all sites) and
  /// `clock`, `tokens` outlive this. Lists of ids may take a quarter as much, blocks read ahead
  /// half. Throws std::invalid_argument for options over their limits.
  BlockApi(BlockStore& store, ByteBudget& bodies, const Clock& clock, const TokenKey& tokens,
           const ApiOptions& options);

  /// Answers a GET or HEAD of the block named `id` where the store can at once, without waiting and
  /// without allocating; else false, with `response` untouched.
  bool try_read(const http::Request& request, std::string_view id, http::Response& response);

  /// Answers what belongs to one of the routes of blocks, by a method that it takes.
  Task<void> handle(const http::Request& request, http::BodyReader& body, const RouteMatch& match,
                    http::Response& response);

  /// Before destruction, while the cores still run: starts no more reads ahead and waits for those
  /// under way, `wait` at most (each ends by its own deadline). True when none is left.
  bool drain(std::chrono::milliseconds wait);

 private:
  Task<void> read_one(const http::Request& request, BlockId id, http::Response& response);
  Task<void> put_one(const http::Request& request, http::BodyReader& body, const RouteMatch& match,
                     http::Response& response);
  Task<void> missing(const http::Request& request, http::BodyReader& body,
                     http::Response& response);
  Task<void> fetch(const http::Request& request, http::BodyReader& body, http::Response& response);
  Task<void> batch(const http::Request& request, http::BodyReader& body, http::Response& response);
  void answer_found(const http::Request& request, Found found, http::Response& response) const;
  void answer_stat(const http::Request& request, const BlockId& id, const BlockStat& stat,
                   http::Response& response) const;
  bool may_write(const http::Request& request, http::Response& response) const;
  Task<std::optional<Refusal>> refusal_of_conditions(const http::Request& request, BlockId id);
  Task<std::optional<std::vector<BlockId>>> read_ids(const http::Request& request,
                                                     http::BodyReader& body,
                                                     http::Response& response);
  Deadline deadline() const { return clock_.in(options_.deadline); }

  BlockStore& store_;
  ByteBudget& bodies_;
  const Clock& clock_;
  const ApiOptions options_;
  const WritePermission permission_;
  /// Lists of ids, and blocks read ahead of slow readers: of their own budgets, so that readers
  /// never stop writers.
  ByteBudget lists_;
  ByteBudget fetched_;
  Gate reads_ahead_;
};

}  // namespace cairn::api
