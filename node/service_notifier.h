// ServiceNotifier: tells systemd how the service is (sd_notify(3)), with a datagram of our own
// instead of libsystemd. Used by the thread that runs the service.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace cairn {

class ServiceNotifier {
 public:
  /// `socket`: NOTIFY_SOCKET, a path or "@name"; empty: nobody listens and every call does nothing.
  /// `watchdog_usec`, `watchdog_pid`: as systemd sets them; another process's watchdog is left
  /// alone.
  ServiceNotifier(std::string socket, const std::string& watchdog_usec,
                  const std::string& watchdog_pid);

  void ready(std::string_view status) const;
  void stopping() const;
  /// Around a reload of the configuration.
  void reloading(std::chrono::microseconds monotonic) const;
  void watchdog() const;

  /// How often watchdog() is due: half of what systemd allows. Nothing when it is off.
  std::optional<std::chrono::milliseconds> watchdog_interval() const { return interval_; }

 private:
  void send(const std::string& message) const;

  const std::string socket_;
  std::optional<std::chrono::milliseconds> interval_;
};

}  // namespace cairn
