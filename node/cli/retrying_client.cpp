#include "node/cli/retrying_client.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <chrono>

#include "base/timer.h"
#include "node/config_text.h"

namespace cairn::cli {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kTries = 8;
constexpr milliseconds kFirstPause{250};
constexpr milliseconds kLongestPause{30'000};

/// Retry-After in seconds where the server names it, else doubling.
milliseconds pause_after(const Reply& reply, unsigned tries) {
  if (const auto seconds = parse_count(reply.field("Retry-After"))) {
    return std::min(milliseconds(std::min<std::uint64_t>(*seconds, 30) * 1000), kLongestPause);
  }
  return std::min(kFirstPause * (1U << tries), kLongestPause);
}

}  // namespace

RetryingClient::RetryingClient(Executor executor, const ServerAddress& server, Contact& contact)
    : executor_(executor), http_(executor, server), contact_(contact) {}

Task<Result<Reply>> RetryingClient::send(const Call& call) {
  for (unsigned tries = 0;; ++tries) {
    const bool last = tries + 1 == kTries;
    auto reply = co_await http_.send(call);
    if (reply) {
      contact_.answered = true;
      contact_.lost_since.reset();
      const unsigned status = reply.value().status;
      if (last || (status != 429 && status != 503)) co_return reply;
      co_await pause(pause_after(reply.value(), tries));
      continue;
    }
    if (reply.error().code != Errc::unavailable) co_return reply;
    const milliseconds left = patience_left();
    if (last || left <= milliseconds::zero()) co_return reply;
    co_await pause(std::min(kFirstPause * (1U << tries), left));
  }
}

/// After a failure. A server that never answered is not there; one that did may be restarting.
milliseconds RetryingClient::patience_left() {
  if (!contact_.answered) return milliseconds::zero();
  const auto now = std::chrono::steady_clock::now();
  if (!contact_.lost_since) contact_.lost_since = now;
  return contact_.patience - std::chrono::duration_cast<milliseconds>(now - *contact_.lost_since);
}

Task<void> RetryingClient::pause(milliseconds wait) {
  Timer timer(executor_, wait);
  co_await timer.async_wait(boost::asio::as_tuple(kAwait));
}

}  // namespace cairn::cli
