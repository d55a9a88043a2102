// CacheAdmin: what the operator sees of the caches and changes while they run, below
// /admin/v1/cache. A part of the operator's listener, on its core.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "cache/memory_tier.h"
#include "cache/watched_store.h"
#include "node/http/request.h"
#include "node/http/response.h"

namespace cairn {

class CacheAdmin {
 public:
  /// What is to change; the rest stays.
  struct Change {
    std::optional<std::size_t> memory_bytes;
    std::optional<PolicyKind> policy;
  };
  /// Takes effect at once; memory shrinks in the background.
  using Apply = std::function<void(const Change&)>;

  /// All of it outlives this.
  CacheAdmin(const MemoryTier& memory, WatchedStore& watched, Apply apply, const Clock& clock)
      : memory_(memory), watched_(watched), apply_(std::move(apply)), clock_(clock) {}

  static bool is_for(std::string_view path) {
    return path == "/admin/v1/cache" || path.starts_with("/admin/v1/cache/");
  }
  static boost::json::object as_json(const CacheStats& stats);

  /// Answers; `path` is one that is_for() takes.
  Task<void> handle(const http::Request& request, http::Response& response);

 private:
  boost::json::object stats() const;
  boost::json::object curve();
  void top(const http::Request& request, http::Response& response);
  Task<void> why(std::string id_text, http::Response& response);
  void change(const http::Request& request, http::Response& response);

  const MemoryTier& memory_;
  WatchedStore& watched_;
  const Apply apply_;
  const Clock& clock_;
};

}  // namespace cairn
