// Snapshot: everything that a scrape, a health check or `status` shows, taken at one moment without
// touching a hot path. A plain value.
#pragma once

#include <cstdint>
#include <string>

#include "cache/source_meter.h"
#include "cache/stats.h"
#include "node/http/counters.h"
#include "node/resource_use.h"
#include "node/warm_start.h"
#include "storage/storage.h"

namespace cairn {

enum class NodePhase : std::uint8_t { starting, ready, draining };

/// starting, ready, draining
std::string_view name_of(NodePhase phase);

struct Snapshot {
  NodePhase phase = NodePhase::starting;
  bool loops_alive = true;  ///< Every core has run a task of ours lately.
  http::CountersSnapshot http;
  http::CountersSnapshot admin;
  CacheStats cache;
  SourceMeter::Snapshot sources;
  WarmProgress warm;
  StorageStats storage;
  ResourceUse process;
  std::uint64_t uptime_s = 0;
  std::uint64_t started_s = 0;  ///< Seconds since 1970.
  std::uint64_t file_cache_used_bytes = 0;
  std::uint64_t file_cache_limit_bytes = 0;
  std::uint64_t send_used_bytes = 0;
  std::uint64_t upload_used_bytes = 0;
  std::uint64_t upload_limit_bytes = 0;
  std::uint64_t answer_used_bytes = 0;
  std::uint64_t answer_limit_bytes = 0;
  std::uint64_t access_lines = 0;
  std::uint64_t access_lines_dropped = 0;
};

}  // namespace cairn
