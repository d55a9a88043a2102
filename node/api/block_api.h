// BlockApi: the HTTP API of a site over a BlockStore (docs/openapi.yaml is its contract). Shared by
// all cores; immutable but for its gate.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/block_store.h"
#include "base/budget.h"
#include "base/gate.h"
#include "base/limits.h"
#include "node/api/cors.h"
#include "node/api/errors.h"
#include "node/api/routes.h"
#include "node/http/handler.h"

namespace cairn::api {

/// Who may store blocks.
enum class WritePolicy : std::uint8_t {
  anyone,
  accounts,  ///< Answered 401 until there are accounts.
  nobody,    ///< Answered 403.
};

struct BlockApiOptions {
  WritePolicy write = WritePolicy::anyone;
  /// Other origins whose pages may call this API ("https://app.example", or "*").
  std::vector<std::string> cors_origins;
  std::size_t block_bytes = kDefaultBlockBytes;  ///< At most kMaxBlockBytes.
  std::size_t ids_per_call = kMaxIdsPerCall;     ///< At most kMaxIdsPerCall.
  std::size_t batch_bytes = std::size_t{64} << 20;
  std::size_t batch_blocks = 1000;
  /// For each call to the store.
  std::chrono::milliseconds deadline{10'000};
};

/// Answers everything below /v1/. A GET or HEAD of a block that the store answers at once is
/// answered without waiting and without allocating.
class BlockApi final : public http::Handler {
 public:
  /// `store`, `bodies` (the bound on blocks that are on their way in, shared by all sites) and
  /// `clock` outlive this. Lists of ids may take a quarter as much, blocks read ahead half. Throws
  /// std::invalid_argument for options over their limits.
  BlockApi(BlockStore& store, ByteBudget& bodies, const Clock& clock, BlockApiOptions options);

  bool try_handle(const http::Request& request, http::Response& response) override;
  Task<void> handle(const http::Request& request, http::BodyReader& body,
                    http::Response& response) override;

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
  Task<void> dispatch(const http::Request& request, http::BodyReader& body, const RouteMatch& match,
                      http::Response& response);
  void answer_found(const http::Request& request, Found found, http::Response& response) const;
  void answer_stat(const http::Request& request, const BlockId& id, const BlockStat& stat,
                   http::Response& response) const;
  void answer_openapi(const http::Request& request, http::Response& response) const;
  bool may_write(http::Response& response) const;
  Task<std::optional<Refusal>> refusal_of_conditions(const http::Request& request, BlockId id);
  Task<std::optional<std::vector<BlockId>>> read_ids(const http::Request& request,
                                                     http::BodyReader& body,
                                                     http::Response& response);
  Deadline deadline() const { return clock_.in(options_.deadline); }

  BlockStore& store_;
  ByteBudget& bodies_;
  const Clock& clock_;
  const BlockApiOptions options_;
  const Cors cors_;
  const std::string openapi_tag_;
  /// Lists of ids, and blocks read ahead of slow readers: of their own budgets, so that readers
  /// never stop writers.
  ByteBudget lists_;
  ByteBudget fetched_;
  Gate reads_ahead_;
};

}  // namespace cairn::api
