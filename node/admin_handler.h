// AdminHandler: the operator's listener. Health, metrics, and the admin calls behind the command
// line. Runs on a core of its own, so that it answers while the sites' cores are busy or drain.
#pragma once

#include <prometheus/collectable.h>

#include <string>
#include <string_view>
#include <vector>

#include "node/account_admin.h"
#include "node/cache_admin.h"
#include "node/http/handler.h"
#include "node/snapshot.h"

namespace cairn {

/// What the operator sees of a node and can ask of it. Any thread; nothing here waits for a disk.
class Operated {
 public:
  virtual ~Operated() = default;
  virtual Snapshot snapshot() const = 0;
  /// The configuration in effect, as one JSON object; it holds no secrets.
  virtual std::string config_json() const = 0;
  /// False when the scrub is off (storage.scrub_rate = 0).
  virtual bool start_scrub() = 0;
  /// False when blocks are kept for ever (storage.grace_s = 0).
  virtual bool start_gc() = 0;
};

/// One part of a node's health.
struct HealthCheck {
  std::string_view name;
  bool good = true;
  std::string detail;
};

/// Every check, in a fixed order. Pure.
std::vector<HealthCheck> health_of(const Snapshot& snapshot);

class AdminHandler final : public http::Handler {
 public:
  enum class Remote : bool { refused, allowed };

  /// `node`, `accounts` and `cache` outlive the handler. Unless remote access is allowed, requests
  /// that a browser made for another site (an Origin field, or a Host that is no loopback name) are
  /// refused: the listener asks for no password, and a page must not be able to reach it.
  AdminHandler(Operated& node, AccountAdmin& accounts, CacheAdmin& cache, Remote remote);

  bool try_handle(const http::Request& request, http::Response& response) override;
  Task<void> handle(const http::Request& request, http::BodyReader& body,
                    http::Response& response) override;

 private:
  struct Route {
    std::string_view path;
    http::Method method;
    void (AdminHandler::*answer)(const http::Request&, http::Response&);
  };
  static const std::vector<Route>& routes();

  void livez(const http::Request& request, http::Response& response);
  void readyz(const http::Request& request, http::Response& response);
  void healthz(const http::Request& request, http::Response& response);
  void metrics(const http::Request& request, http::Response& response);
  void status(const http::Request& request, http::Response& response);
  void config(const http::Request& request, http::Response& response);
  void scrub(const http::Request& request, http::Response& response);
  void start_scrub(const http::Request& request, http::Response& response);
  void gc(const http::Request& request, http::Response& response);
  void start_gc(const http::Request& request, http::Response& response);

  Operated& node_;
  AccountAdmin& accounts_;
  CacheAdmin& cache_;
  const Remote remote_;
};

}  // namespace cairn
