#include "node/listen_check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "node/config_text.h"

namespace cairn {
namespace {

/// errno of binding to it, or 0.
int try_to_bind(const HostPort& address) {
  sockaddr_in6 six{};
  sockaddr_in four{};
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  const bool is_six = ::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1;
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(address.port);
  four.sin_family = AF_INET;
  four.sin_port = htons(address.port);
  if (!is_six) ::inet_pton(AF_INET, host.c_str(), &four.sin_addr);
  const int descriptor = ::socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return errno;
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (is_six) ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const auto* raw =
      is_six ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
  const bool bound = ::bind(descriptor, raw, is_six ? sizeof six : sizeof four) == 0;
  const int error = bound ? 0 : errno;
  ::close(descriptor);
  return error;
}

}  // namespace

Result<void> check_listen_address(const std::string& text) {
  const auto address = parse_listen_address(text);
  if (!address) {
    return fail(Errc::malformed,
                "'" + text + "' is no listen address; write it as 127.0.0.1:8080 or [::1]:8080");
  }
  switch (const int error = try_to_bind(*address)) {
    case 0: return ok();
    case EADDRINUSE:
      return fail(Errc::conflict,
                  text + " is in use by another program; stop it or choose another port");
    case EACCES:
    case EPERM:
      return fail(Errc::denied, "no right to listen on " + text + "; choose a port above 1023");
    default:
      return fail(Errc::unavailable, "cannot listen on " + text + ": " + std::strerror(error));
  }
}

}  // namespace cairn
