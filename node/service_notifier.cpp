#include "node/service_notifier.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "node/config_text.h"

namespace cairn {

ServiceNotifier::ServiceNotifier(std::string socket, const std::string& watchdog_usec,
                                 const std::string& watchdog_pid)
    : socket_(std::move(socket)) {
  const auto usec = parse_count(watchdog_usec);
  if (!usec || *usec == 0) return;
  if (!watchdog_pid.empty() && parse_count(watchdog_pid) != static_cast<std::uint64_t>(getpid())) {
    return;
  }
  interval_ = std::chrono::milliseconds(std::max<std::uint64_t>(1, *usec / 2000));
}

void ServiceNotifier::ready(std::string_view status) const {
  send("READY=1\nSTATUS=" + std::string(status) + "\n");
}

void ServiceNotifier::stopping() const {
  send("STOPPING=1\n");
}

void ServiceNotifier::reloading(std::chrono::microseconds monotonic) const {
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic.count()) + "\n");
}

void ServiceNotifier::watchdog() const {
  send("WATCHDOG=1\n");
}

void ServiceNotifier::send(const std::string& message) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  // A service manager that is gone is no reason to stop serving: nothing is done about a failure.
  static_cast<void>(::sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), length));
  ::close(descriptor);
}

}  // namespace cairn
