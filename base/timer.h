// Timer: a wait on one core's loop. The clock that Asio waits by is named here and nowhere else;
// what must be tested without waiting takes a Clock or a function that waits.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>

#include "base/task.h"

namespace cairn {

/// With the concrete executor, so that a wait on the hot path is not type-erased.
using Timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

}  // namespace cairn
