// Config: everything that an operator can set, as plain values with their defaults. The names,
// kinds, ranges and words of each key are in config_schema.cpp; how layers are merged is in
// config_layers.h. Immutable once loaded; shared by all threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.h"

namespace cairn {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;

/// A part of a disk: so many bytes, or so many percent of its size.
struct DiskShare {
  std::uint64_t bytes = 0;
  double percent = 0;  ///< Counts when bytes is 0.
  friend bool operator==(const DiskShare&, const DiskShare&) = default;
};

struct NodeConfig {
  std::string name = "cairn-1";
  std::vector<std::string> roles{"interface", "storage"};
  std::string data_dir = "var";
  std::uint64_t threads = 0;  ///< 0: one a core.
};

struct ListenConfig {
  std::vector<std::string> http{"127.0.0.1:8080"};
  std::vector<std::string> https;
  std::string tls_certificate;
  std::string tls_key_file;
  std::string admin = "127.0.0.1:9090";
  bool admin_allow_remote = false;
  std::string peer = "127.0.0.1:7070";
};

struct ProxyConfig {
  std::string path;
  std::vector<std::string> upstreams;
};

struct SiteConfig {
  std::vector<std::string> hosts{"*"};
  std::string root;  ///< Empty: the API alone.
  std::vector<std::string> index{"index.html"};
  bool spa = false;
  std::vector<std::string> headers;  ///< "Name: value"
  std::vector<std::string> cors;
  std::string write = "anyone";
  std::string signup = "open";
  std::vector<ProxyConfig> proxies;
};

struct LimitsConfig {
  std::uint64_t block_bytes = kDefaultBlockBytes;
  std::uint64_t header_bytes = 8 * kKiB;
  std::uint64_t headers = 100;
  std::uint64_t connections = 10'000;
  std::uint64_t connections_per_client = 0;  ///< 0: no limit of its own.
  std::uint64_t upload_bytes = 256 * kMiB;
  std::uint64_t answer_bytes = 256 * kMiB;
  std::uint64_t account_calls_per_client = 120;  ///< A minute; 0: no limit. As is the next.
  std::uint64_t account_calls_per_handle = 30;
  std::uint64_t head_timeout_ms = 10'000;
  std::uint64_t body_timeout_ms = 20'000;
  std::uint64_t write_timeout_ms = 20'000;
  std::uint64_t idle_timeout_ms = 75'000;
  std::uint64_t request_timeout_ms = 30'000;
  std::uint64_t drain_timeout_ms = 30'000;
};

struct CacheConfig {
  std::uint64_t memory_bytes = 256 * kMiB;
  std::uint64_t disk_bytes = 0;
  std::string disk_dir = "var/cache";
  std::string policy = "lru";
};

struct StorageConfig {
  bool sync = true;
  DiskShare reserve{0, 5};
  std::uint64_t scrub_rate_bytes = 8 * kMiB;  ///< A second; 0 turns the scrub off.
  std::uint64_t pool_threads = 8;
  std::uint64_t grace_s = 24 * 3600;  ///< 0: blocks are kept for ever.
};

struct StaticConfig {
  std::uint64_t memory_bytes = 64 * kMiB;
  std::uint64_t send_memory_bytes = 64 * kMiB;
};

struct LogConfig {
  std::string level = "info";
  std::string events = "stderr";
  std::string access = "off";
};

struct ClusterConfig {
  std::string name = "cairn";
  std::string coordinator = "embedded";
  std::vector<std::string> etcd{"http://127.0.0.1:2379"};
  std::vector<std::string> join;
  std::string placement_seed_file;  ///< Empty: made at the first start and kept in data_dir.
};

struct Config {
  NodeConfig node;
  ListenConfig listen;
  std::vector<SiteConfig> sites;  ///< At least one once loaded.
  LimitsConfig limits;
  CacheConfig cache;
  StorageConfig storage;
  StaticConfig static_files;
  LogConfig log;
  ClusterConfig cluster;
};

}  // namespace cairn
