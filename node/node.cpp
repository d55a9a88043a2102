#include "node/node.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <optional>
#include <thread>

#include "base/budget.h"
#include "base/gate.h"
#include "cache/memory_tier.h"
#include "cache/policy.h"
#include "node/access_log_file.h"
#include "node/config_show.h"
#include "node/config_text.h"
#include "node/http/server.h"
#include "node/listen_check.h"
#include "node/node_directory.h"
#include "node/site.h"
#include "node/site_router.h"
#include "node/warm_start.h"
#include "storage/storage.h"

namespace cairn {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kStripesPerCore = 8;
constexpr std::size_t kFileThreads = 4;
constexpr std::size_t kFileQueue = 4096;
constexpr std::size_t kAdminConnections = 128;
constexpr std::size_t kAdminAnswerBytes = std::size_t{16} << 20;
constexpr milliseconds kLastAnswers{2000};

std::size_t core_count(const Config& config) {
  if (config.node.threads != 0) return config.node.threads;
  return std::max(1U, std::thread::hardware_concurrency());
}

http::Limits site_limits(const LimitsConfig& limits) {
  http::Limits out;
  out.header_bytes = limits.header_bytes;
  out.headers = limits.headers;
  out.connections = limits.connections;
  out.connections_per_client = limits.connections_per_client;
  out.head_timeout = milliseconds(limits.head_timeout_ms);
  out.body_timeout = milliseconds(limits.body_timeout_ms);
  out.write_timeout = milliseconds(limits.write_timeout_ms);
  out.idle_timeout = milliseconds(limits.idle_timeout_ms);
  return out;
}

http::Limits admin_limits() {
  http::Limits out;
  out.connections = kAdminConnections;
  return out;
}

/// A start loads this part of the memory tier at most: the rest is for what is asked for now.
constexpr std::size_t kWarmShare = 2;

MemoryTier::Options cache_options(const Config& config) {
  MemoryTier::Options options;
  options.budget_bytes = config.cache.memory_bytes;
  options.policy = policy_from_name(config.cache.policy).value_or(PolicyKind::lru);
  options.stripes = kStripesPerCore * core_count(config);
  return options;
}

/// What RocksDB's log grows to between two flushes: half the write buffers, and keys and heads.
constexpr std::uint64_t kLogFileBytes = std::uint64_t{36} << 20;

Result<StorageOptions> storage_options(const Config& config) {
  StorageOptions options;
  options.log_file_bytes = kLogFileBytes;
  options.directory = config.node.data_dir;
  options.node_name = config.node.name;
  options.sync = config.storage.sync;
  const DiskShare& reserve = config.storage.reserve;
  options.reserve = {reserve.bytes, reserve.bytes != 0 ? 0.0 : reserve.percent};
  options.reader_threads = config.storage.pool_threads;
  options.scrub_bytes_per_second = config.storage.scrub_rate_bytes;
  options.grace = std::chrono::seconds(config.storage.grace_s);
  if (!config.cluster.placement_seed_file.empty()) {
    CAIRN_TRY(const std::uint64_t seed, read_placement_seed(config.cluster.placement_seed_file));
    options.placement_seed = seed;
  }
  return options;
}

Result<std::unique_ptr<Storage>> open_storage(const Config& config, const Clock& clock,
                                              Random& random, Log& log) {
  CAIRN_TRY(const std::string mended, prepare_data_directory(config.node.data_dir));
  if (!mended.empty()) {
    log.event(LogLevel::warn, "data_dir_closed", {{"detail", std::string_view(mended)}});
  }
  CAIRN_TRY(auto options, storage_options(config));
  auto storage = Storage::open(std::move(options), clock, random, log);
  if (storage) return storage;
  Error error = storage.error();
  if (error.detail.find(config.node.data_dir) == std::string::npos) {
    error.detail = "data directory " + config.node.data_dir + ": " + error.detail;
  }
  return error;
}

/// A port that is taken is told before the store is opened, and so before it says anything.
Result<void> check_listeners(const ListenConfig& listen) {
  for (const std::string& address : listen.http) {
    CAIRN_TRY(check_listen_address(address));
  }
  return listen.admin.empty() ? Result<void>(ok()) : check_listen_address(listen.admin);
}

Result<std::unique_ptr<AccessLogFile>> open_access_log(const Config& config, const Clock& clock,
                                                       Log& log) {
  if (config.log.access == "off") return std::unique_ptr<AccessLogFile>();
  return AccessLogFile::open(config.log.access, core_count(config), clock, log);
}

/// One key of no site, its value and where that came from.
void take_over(LoadedConfig& mine, const LoadedConfig& theirs, std::string_view section,
               std::string_view name) {
  const KeySpec& spec = *find_key(section, name);
  Config config = theirs.config;
  const FieldRef fresh = spec.field(config, {});
  std::visit([&](auto* field) { *field = *std::get<decltype(field)>(fresh); },
             spec.field(mine.config, {}));
  mine.origins[key_text(spec, {})] = theirs.origin_of(spec, {});
}

}  // namespace

/// The composition. Each part borrows from those above it and is destroyed before them.
struct Node::Parts {
  Parts(const Config& config, const NodeSecret& secret, std::unique_ptr<Storage> store,
        std::unique_ptr<AccessLogFile> access, Node& node, const Clock& clock, Random& random,
        Log& log)
      : receipts(secret),
        tokens(secret),
        challenges(secret),
        by_client(config.limits.account_calls_per_client, clock, random),
        by_handle(config.limits.account_calls_per_handle, clock, random),
        storage(std::move(store)),
        cache(cache_options(config), storage->blocks(), clock, random),
        watched(cache, config.cache.memory_bytes, clock, random),
        warm(config.node.data_dir, cache, config.cache.memory_bytes / kWarmShare, watched.top(),
             clock, log),
        uploads(config.limits.upload_bytes),
        files(config.static_files.memory_bytes),
        file_pool("files", kFileThreads, kFileQueue, clock),
        send_buffers(config.static_files.send_memory_bytes),
        sites(make_sites(config, {{watched,
                                   storage->chains(),
                                   receipts,
                                   uploads,
                                   clock,
                                   {storage->accounts(), tokens, challenges, used_nonces, by_client,
                                    by_handle, random}},
                                  files,
                                  file_pool,
                                  send_buffers})),
        router(routes_of(config, sites)),
        access_log(std::move(access)),
        cores(core_count(config), clock),
        answers(config.limits.answer_bytes),
        server(cores, router, site_limits(config.limits), answers, log, access_log.get()),
        account_admin(storage->accounts(), clock, random),
        cache_admin(
            cache, watched, [&node](const CacheAdmin::Change& wanted) { node.set_cache(wanted); },
            clock),
        admin(node, account_admin, cache_admin,
              config.listen.admin_allow_remote ? AdminHandler::Remote::allowed
                                               : AdminHandler::Remote::refused),
        admin_cores(1, clock),
        admin_answers(kAdminAnswerBytes),
        admin_server(admin_cores, admin, admin_limits(), admin_answers, log, nullptr) {}

  ReceiptKey receipts;
  TokenKey tokens;
  ChallengeKey challenges;
  api::UsedNonces used_nonces;
  api::RateLimiter by_client;
  api::RateLimiter by_handle;
  std::unique_ptr<Storage> storage;
  MemoryTier cache;
  WatchedStore watched;
  WarmStart warm;
  ByteBudget uploads;
  site::FileCache files;
  BlockingPool file_pool;
  ByteBudget send_buffers;
  std::vector<Site> sites;
  SiteRouter router;
  std::unique_ptr<AccessLogFile> access_log;
  http::Cores cores;
  ByteBudget answers;
  http::Server server;
  AccountAdmin account_admin;
  CacheAdmin cache_admin;
  AdminHandler admin;
  http::Cores admin_cores;
  ByteBudget admin_answers;
  http::Server admin_server;
  Gate tasks;  ///< Changes that run on a core.
  bool running = false;
};

Result<std::unique_ptr<Node>> Node::open(const LoadedConfig& loaded, const Clock& clock,
                                         Random& random, EventLog& log) {
  const Config& config = loaded.config;
  CAIRN_TRY(check_listeners(config.listen));
  CAIRN_TRY(auto access_log, open_access_log(config, clock, log));
  CAIRN_TRY(auto storage, open_storage(config, clock, random, log));
  CAIRN_TRY(const NodeSecret secret, node_secret(config.node.data_dir, random));
  std::unique_ptr<Node> node(new Node(loaded, clock, log));
  node->parts_ = std::make_unique<Parts>(config, secret, std::move(storage), std::move(access_log),
                                         *node, clock, random, log);
  CAIRN_TRY(node->bind());
  return node;
}

Node::Node(const LoadedConfig& loaded, const Clock& clock, EventLog& log)
    : clock_(clock),
      log_(log),
      opened_at_(clock.mono()),
      opened_wall_(clock.wall()),
      loaded_(loaded) {}

Node::~Node() {
  if (parts_ != nullptr && parts_->running) drain();
}

Result<void> Node::bind() {
  for (const std::string& address : loaded_.config.listen.http) {
    CAIRN_TRY(auto bound, parts_->server.listen(address));
    http_addresses_.push_back(std::move(bound));
  }
  if (!loaded_.config.listen.admin.empty()) {
    CAIRN_TRY(auto bound, parts_->admin_server.listen(loaded_.config.listen.admin));
    admin_address_ = std::move(bound);
  }
  return ok();
}

void Node::start() {
  parts_->running = true;
  parts_->cores.start();
  parts_->admin_cores.start();
  parts_->admin_server.start();
  parts_->server.start();
  phase_ = NodePhase::ready;
  run_on_core(parts_->warm.load());
}

bool Node::drain() {
  if (!parts_->running) return true;
  parts_->running = false;
  phase_ = NodePhase::draining;
  parts_->warm.end();
  for (Site& site : parts_->sites) site.api->end_waits();
  parts_->storage->chains().end_waits();
  const bool clean = parts_->server.close(milliseconds(loaded_.config.limits.drain_timeout_ms));
  // Reads ahead and changes of the cache end by their own deadlines.
  const milliseconds last(loaded_.config.limits.request_timeout_ms + 1000);
  parts_->tasks.close();
  parts_->tasks.wait_empty(last);
  for (Site& site : parts_->sites) site.api->drain(last);
  parts_->cores.stop();
  parts_->admin_server.close(kLastAnswers);
  parts_->admin_cores.stop();
  if (parts_->access_log != nullptr) parts_->access_log->flush();
  parts_->warm.keep();
  return clean;
}

bool Node::pulse() {
  if (parts_->warm.keep_is_due()) run_on_core(parts_->warm.keep_on(parts_->file_pool));
  bool alive = true;
  for (const auto& shown : pulses_) alive = alive && shown->load(std::memory_order_acquire);
  loops_alive_ = alive;
  // A core that is stuck is not asked again: its queue must not grow meanwhile.
  if (!alive) return false;
  pulses_.clear();
  for (std::size_t i = 0; i < parts_->cores.count(); ++i) {
    auto shown = std::make_shared<std::atomic<bool>>(false);
    pulses_.push_back(shown);
    boost::asio::post(parts_->cores[i].executor(),
                      [shown] { shown->store(true, std::memory_order_release); });
  }
  return true;
}

void Node::reopen_logs() {
  reopen_events(loaded_.config.log);
  if (parts_->access_log != nullptr) parts_->access_log->reopen();
}

bool Node::reopen_events(const LogConfig& wanted) {
  const std::string problem = log_.reopen(wanted.events, log_level_of(wanted.level));
  if (problem.empty()) return true;
  log_.event(LogLevel::error, "log_reopen_failed", {{"reason", std::string_view(problem)}});
  return false;
}

std::vector<std::string> Node::reload(const LoadedConfig& loaded) {
  const LogConfig& before = loaded_.config.log;
  const LogConfig& wanted = loaded.config.log;
  const bool same_log = before.level == wanted.level && before.events == wanted.events;
  const bool log_taken = same_log || reopen_events(wanted);
  CacheConfig cache_before;
  {
    const std::lock_guard lock(config_mutex_);
    cache_before = loaded_.config.cache;
  }
  // What a policy has learnt goes with it: a reload for the logs' sake must not cost hits.
  CacheAdmin::Change change;
  if (loaded.config.cache.policy != cache_before.policy) {
    change.policy = policy_from_name(loaded.config.cache.policy);
  }
  if (loaded.config.cache.memory_bytes != cache_before.memory_bytes) {
    change.memory_bytes = loaded.config.cache.memory_bytes;
  }
  change_cache(change);
  const std::lock_guard lock(config_mutex_);
  take_over(loaded_, loaded, "cache", "memory");
  take_over(loaded_, loaded, "cache", "policy");
  if (log_taken) {
    take_over(loaded_, loaded, "log", "level");
    take_over(loaded_, loaded, "log", "events");
  }
  return changed_keys(loaded_.config, loaded.config);
}

void Node::change_cache(const CacheAdmin::Change& wanted) {
  if (wanted.policy) parts_->cache.set_policy(*wanted.policy);
  if (!wanted.memory_bytes) return;
  parts_->watched.set_budget(*wanted.memory_bytes);
  run_on_core(parts_->cache.set_budget(*wanted.memory_bytes));
}

void Node::run_on_core(Task<void> task) {
  auto pass = parts_->tasks.enter();
  if (!pass) return;
  boost::asio::co_spawn(parts_->cores[0].executor(), std::move(task),
                        [this, held = std::move(pass)](const std::exception_ptr& bug) {
                          if (bug) log_.event(LogLevel::error, "cache_task_failed");
                        });
}

void Node::set_cache(const CacheAdmin::Change& wanted) {
  change_cache(wanted);
  const std::lock_guard lock(config_mutex_);
  const Origin origin{Layer::command_line, "cairn cache set"};
  if (wanted.memory_bytes) {
    loaded_.config.cache.memory_bytes = *wanted.memory_bytes;
    loaded_.origins["cache.memory"] = origin;
  }
  if (wanted.policy) {
    loaded_.config.cache.policy = name_of(*wanted.policy);
    loaded_.origins["cache.policy"] = origin;
  }
}

Snapshot Node::snapshot() const {
  Snapshot out;
  out.phase = phase_;
  out.loops_alive = loops_alive_;
  out.http = parts_->server.counters();
  out.admin = parts_->admin_server.counters();
  out.cache = parts_->cache.stats();
  out.sources = parts_->watched.sources();
  out.warm = parts_->warm.progress();
  out.storage = parts_->storage->stats();
  out.process = read_resource_use();
  const auto up = std::chrono::duration_cast<std::chrono::seconds>(clock_.mono() - opened_at_);
  out.uptime_s = static_cast<std::uint64_t>(up.count());
  out.started_s = static_cast<std::uint64_t>(opened_wall_) / 1000;
  out.file_cache_used_bytes = parts_->files.used_bytes();
  out.file_cache_limit_bytes = parts_->files.limit_bytes();
  out.send_used_bytes = parts_->send_buffers.used_bytes();
  out.upload_used_bytes = parts_->uploads.used_bytes();
  out.upload_limit_bytes = parts_->uploads.limit_bytes();
  out.answer_used_bytes = parts_->answers.used_bytes();
  out.answer_limit_bytes = parts_->answers.limit_bytes();
  if (parts_->access_log != nullptr) {
    out.access_lines = parts_->access_log->written();
    out.access_lines_dropped = parts_->access_log->dropped();
  }
  return out;
}

std::string Node::config_json() const {
  const std::lock_guard lock(config_mutex_);
  return config_as_json(loaded_);
}

bool Node::start_gc() {
  return parts_->storage->collect_now();
}

bool Node::start_scrub() {
  if (loaded_.config.storage.scrub_rate_bytes == 0) return false;
  parts_->storage->scrub_now();
  return true;
}

}  // namespace cairn
