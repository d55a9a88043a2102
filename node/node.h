// Node: the composition. Stores, caches, sites and servers put together in one place, started and
// taken down in order. Made, drained and destroyed by one thread that is no core's.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "node/admin_handler.h"
#include "node/config_layers.h"
#include "node/event_log.h"

namespace cairn {

class Node final : public Operated {
 public:
  /// Opens the store, then binds every address of `loaded`, which must have passed all checks;
  /// nothing is accepted yet. A failure leaves nothing bound. `clock`, `random` and `log` outlive
  /// the node. Errors: as Storage::open() and http::Server::listen(); the detail is one line for a
  /// person.
  static Result<std::unique_ptr<Node>> open(const LoadedConfig& loaded, const Clock& clock,
                                            Random& random, EventLog& log);
  /// Drains first where that has not been done.
  ~Node() override;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// What was bound, ports chosen: for the ready line.
  const std::vector<std::string>& http_addresses() const { return http_addresses_; }
  const std::string& admin_address() const { return admin_address_; }  ///< Empty when off.

  /// Takes requests from now on.
  void start();

  /// Refuses new connections and lets requests under way finish, limits.drain_timeout_ms at most;
  /// the operator's listener answers until the end. Blocks. True when nothing had to be cut off.
  bool drain();

  /// Whether every core has run since the last call; asks each to show itself again. Called about
  /// once a second by one thread.
  bool pulse();

  /// Opens the logs that there are anew, as rotation asks.
  void reopen_logs();

  /// Takes over what can change while running (cache.memory, cache.policy, log.level, log.events).
  /// Returns the names of changed keys that wait for a restart; those of the log are among them
  /// where its new destination cannot be opened.
  std::vector<std::string> reload(const LoadedConfig& loaded);

  /// Until the next start or reload.
  void set_cache(const CacheAdmin::Change& wanted);

  Snapshot snapshot() const override;
  std::string config_json() const override;
  bool start_scrub() override;
  bool start_gc() override;

 private:
  struct Parts;

  Node(const LoadedConfig& loaded, const Clock& clock, EventLog& log);
  Result<void> bind();
  void change_cache(const CacheAdmin::Change& wanted);
  /// Work of the caches; drain() waits for its end.
  void run_on_core(Task<void> task);
  bool reopen_events(const LogConfig& wanted);

  const Clock& clock_;
  EventLog& log_;
  const MonoTime opened_at_;
  const WallTime opened_wall_;
  mutable std::mutex config_mutex_;
  LoadedConfig loaded_;
  std::vector<std::string> http_addresses_;
  std::string admin_address_;
  std::atomic<NodePhase> phase_{NodePhase::starting};
  std::atomic<bool> loops_alive_{true};
  std::vector<std::shared_ptr<std::atomic<bool>>> pulses_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace cairn
