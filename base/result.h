// Result<T>: a value or an Error, on Boost.Outcome. Reading the wrong side ends the program.
#pragma once

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/policy/terminate.hpp>
#include <boost/outcome/try.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cairn {

/// Why a call failed, shaped by what a caller does about it.
enum class Errc : std::uint8_t {
  not_found,    ///< Not held. Final.
  corrupt,      ///< Held bytes do not match their name. Another copy may serve.
  unavailable,  ///< Cannot be reached or did not answer in time. Try again later.
  wrong_epoch,  ///< The caller's layout is stale. Refresh it and try again.
  conflict,     ///< Somebody else was first. Read the present state.
  overloaded,   ///< A queue or a budget is full. Try again after a pause.
  full,         ///< No room on disk. Writes stop, reads and deletes work.
  malformed,    ///< The input breaks a rule. Never try the same again.
  denied,       ///< The caller may not.
};

/// The stable lower-case name of `code`, for logs and problem types.
std::string_view name_of(Errc code);

/// A failure with words for a person; `detail` may be empty where the code says it all.
struct Error {
  Errc code;
  std::string detail;
};

template <class T>
using Result = boost::outcome_v2::basic_result<T, Error, boost::outcome_v2::policy::terminate>;

/// `return fail(Errc::full, "...")` from a function that returns a Result.
inline Error fail(Errc code, std::string detail = {}) {
  return Error{code, std::move(detail)};
}

/// `return ok();` from a function that returns Result<void>.
inline auto ok() {
  return boost::outcome_v2::success();
}

}  // namespace cairn

/// CAIRN_TRY(name, expression): `name` becomes the value, or the error is returned. Not for
/// coroutines: GCC 12 miscompiles references bound to the result of a co_await (and co_await inside
/// ?:), so a coroutine names the Result, tests it and says `co_return result.error();`.
#define CAIRN_TRY(...) BOOST_OUTCOME_TRY(__VA_ARGS__)
