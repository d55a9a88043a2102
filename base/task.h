// Task<T>: a coroutine on one core's io_context, with the concrete executor type so that nothing on
// the hot path is type-erased. A Task resumes on the core that started it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cairn {

using IoContext = boost::asio::io_context;
using Executor = IoContext::executor_type;

template <class T>
using Task = boost::asio::awaitable<T, Executor>;

/// The completion token that turns an Asio operation into something a Task awaits.
inline constexpr boost::asio::use_awaitable_t<Executor> kAwait{};

}  // namespace cairn
