// LiveSource: the body of a POST /v1/live answer, server-sent events of many chains over one
// connection. It keeps a cursor a chain and the set of those with news, never the news themselves.
// Lives on the connection's core; told of growth by any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "node/api/chain_cursor.h"
#include "node/api/event_source.h"
#include "node/api/live_request.h"
#include "node/http/response.h"

namespace cairn::api {

class LiveSource final : public http::BodySource {
 public:
  LiveSource(const FollowWorld& world, std::vector<LiveStart> starts)
      : world_(world), starts_(std::move(starts)) {}
  ~LiveSource() override;

  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  Task<Result<ByteView>> next() override;
  std::size_t kept_bytes() const override { return out_.capacity(); }

 private:
  class Bell;
  struct Followed {
    ChainCursor cursor;
    std::shared_ptr<void> place;  ///< As a listener.
  };

  /// Takes up one chain, or says why not.
  Task<void> begin(LiveStart start);
  Task<void> tell(ChainId chain);
  void tell_refusal(const ChainId& chain, Errc code);
  void append_event(std::string_view event, const std::string& data);

  FollowWorld world_;
  std::vector<LiveStart> starts_;  ///< Not taken up yet.
  std::unordered_map<ChainId, Followed> followed_;
  std::shared_ptr<Bell> bell_;
  std::string out_;
};

}  // namespace cairn::api
