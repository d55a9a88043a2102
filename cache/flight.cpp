#include "cache/flight.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <utility>

#include "cache/stripe.h"

namespace cairn {
namespace {

constexpr std::chrono::hours kLongestWait{1};

}  // namespace

Lead::~Lead() {
  if (flight_ != nullptr) stripe_->hand_over(std::move(flight_));
}

void Waiter::tell(std::shared_ptr<Waiter> waiter, Told told) {
  const Executor executor = waiter->executor;
  boost::asio::post(executor, [to = std::move(waiter), told = std::move(told)]() mutable {
    // Who is gone takes nothing; a Lead that is not taken goes on to the next by destruction.
    if (to->gone) return;
    to->told = std::move(told);
    to->timer.cancel();
  });
}

Seat::~Seat() {
  if (waiter_ == nullptr) return;
  waiter_->gone = true;
  stripe_->leave(*flight_, *waiter_);
  // A lead that came too late for its waiter goes on to another.
  waiter_->told.reset();
}

Task<std::optional<Told>> Seat::wait(Deadline deadline, const Clock& clock) {
  // Bounded above because a deadline may be "never", which the timer's clock could not add.
  const MonoTime now = clock.mono();
  waiter_->timer.expires_after(deadline > now
                                   ? std::min<MonoTime::duration>(deadline - now, kLongestWait)
                                   : MonoTime::duration::zero());
  boost::system::error_code ended;
  co_await waiter_->timer.async_wait(boost::asio::redirect_error(kAwait, ended));
  co_return std::exchange(waiter_->told, std::nullopt);
}

}  // namespace cairn
