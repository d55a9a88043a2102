#include "node/serve.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <ostream>
#include <thread>

#include "crypto/random.h"
#include "node/build_info.h"
#include "node/node.h"
#include "node/resource_use.h"
#include "node/service_notifier.h"

namespace cairn {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{1000};
constexpr milliseconds kDrainTick{50};

/// TERM, INT and HUP wait for us; every thread made from here on leaves them alone.
sigset_t take_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

/// The next signal, or 0 after `wait`.
int next_signal(const sigset_t& set, milliseconds wait) {
  timespec time{};
  time.tv_sec = wait.count() / 1000;
  time.tv_nsec = wait.count() % 1000 * 1'000'000;
  const int signal = sigtimedwait(&set, nullptr, &time);
  return signal > 0 ? signal : 0;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

class Service {
 public:
  Service(Node& node, EventLog& log, const ServiceNotifier& notifier, const sigset_t& signals,
          const Clock& clock)
      : node_(node), log_(log), notifier_(notifier), signals_(signals), clock_(clock) {}

  /// Until the first SIGTERM or SIGINT.
  void run(const std::function<LoadedConfig()>& load_again) {
    const milliseconds tick = std::min(kTick, notifier_.watchdog_interval().value_or(kTick));
    Deadline watchdog_due = clock_.mono();
    for (;;) {
      const int signal = next_signal(signals_, tick);
      if (signal == SIGTERM || signal == SIGINT) return;
      if (signal == SIGHUP) reload(load_again);
      const bool alive = node_.pulse();
      if (alive && notifier_.watchdog_interval() && clock_.mono() >= watchdog_due) {
        notifier_.watchdog();
        watchdog_due = clock_.in(*notifier_.watchdog_interval() - tick / 2);
      }
    }
  }

  /// A second signal meanwhile ends the process at once.
  void drain() {
    log_.event(LogLevel::info, "draining");
    notifier_.stopping();
    std::atomic<bool> done{false};
    bool clean = false;
    std::thread drainer([&] {
      clean = node_.drain();
      done = true;
    });
    while (!done) {
      const int signal = next_signal(signals_, kDrainTick);
      if (signal == SIGTERM || signal == SIGINT) {
        log_.event(LogLevel::warn, "ended_at_once");
        std::_Exit(EXIT_FAILURE);
      }
      if (notifier_.watchdog_interval()) notifier_.watchdog();
    }
    drainer.join();
    log_.event(LogLevel::info, "stopped", {{"clean", clean}});
  }

 private:
  void reload(const std::function<LoadedConfig()>& load_again) {
    notifier_.reloading(
        std::chrono::duration_cast<std::chrono::microseconds>(clock_.mono().time_since_epoch()));
    // Rotation must not depend on what the file says meanwhile.
    node_.reopen_logs();
    const LoadedConfig loaded = load_again();
    std::vector<ConfigError> errors = loaded.errors;
    if (errors.empty()) errors = unavailable_values(loaded);
    if (errors.empty()) {
      const std::string waiting = joined(node_.reload(loaded));
      log_.event(LogLevel::info, "reloaded", {{"needs_restart", std::string_view(waiting)}});
    } else {
      const std::string reason = error_line(errors.front());
      log_.event(LogLevel::error, "reload_refused", {{"reason", std::string_view(reason)}});
    }
    notifier_.ready("serving");
  }

  Node& node_;
  EventLog& log_;
  const ServiceNotifier& notifier_;
  const sigset_t signals_;
  const Clock& clock_;
};

void announce(const Node& node, const ServeWorld& world) {
  world.out << "ready http=" << joined(node.http_addresses());
  if (!node.admin_address().empty()) world.out << " admin=" << node.admin_address();
  world.out << std::endl;
  if (!world.hints) return;
  for (const std::string& address : node.http_addresses()) {
    world.err << "  site   http://" << address << "/\n";
  }
  if (!node.admin_address().empty()) {
    world.err << "  health http://" << node.admin_address() << "/healthz?verbose\n";
  }
  world.err << "  stop with Ctrl-C" << std::endl;
}

}  // namespace

bool serve(const LoadedConfig& loaded, const std::function<LoadedConfig()>& load_again,
           const ServeWorld& world) {
  const sigset_t signals = take_signals();
  ::umask(0077);
  const std::uint64_t descriptors = raise_descriptor_limit();
  const SystemClock clock;
  SystemRandom random;
  try {
    const LogConfig& log_config = loaded.config.log;
    EventLog log(log_config.events, log_level_of(log_config.level), clock);
    auto opened = Node::open(loaded, clock, random, log);
    if (!opened) {
      world.err << "cairn: " << opened.error().detail << '\n';
      return false;
    }
    Node& node = *opened.value();
    const ServiceNotifier notifier(world.notify_socket, world.watchdog_usec, world.watchdog_pid);
    node.start();
    log.event(LogLevel::info, "started",
              {{"version", std::string_view(kVersion)},
               {"revision", std::string_view(kRevision)},
               {"descriptors", descriptors}});
    announce(node, world);
    notifier.ready("serving");
    Service service(node, log, notifier, signals, clock);
    service.run(load_again);
    service.drain();
  } catch (const std::exception& error) {
    world.err << "cairn: " << error.what() << '\n';
    return false;
  }
  return true;
}

}  // namespace cairn
