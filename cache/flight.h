// Flights: simultaneous misses of one block become one fetch. Who misses first leads (fetches with
// its own coroutine and deadline), who comes after waits; when the leader cannot finish, a waiter
// takes over. Flights are guarded by their stripe's lock, a Waiter belongs to its executor's
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/block_store.h"
#include "base/clock.h"
#include "base/task.h"
#include "base/timer.h"

namespace cairn {

class Stripe;
struct Waiter;

/// One fetch. Guarded by the stripe's lock.
struct Flight {
  BlockId id;
  std::uint32_t tag = 0;
  std::uint32_t generation = 0;  ///< The stripe's at the time the fetch began.
  bool listed = true;            ///< New misses may join.
  std::vector<std::shared_ptr<Waiter>> waiters;
};

/// The duty to fetch. Whoever holds it either lands the flight or, by destruction, hands the duty
/// to a waiter, whatever happened: error, exception, cancellation, a stopped loop. Move-only.
class Lead {
 public:
  Lead() = default;
  Lead(Stripe& stripe, std::shared_ptr<Flight> flight)
      : stripe_(&stripe), flight_(std::move(flight)) {}
  Lead(Lead&& other) noexcept : stripe_(other.stripe_), flight_(std::move(other.flight_)) {}
  Lead& operator=(Lead&& other) noexcept {
    std::swap(stripe_, other.stripe_);
    std::swap(flight_, other.flight_);
    return *this;
  }
  ~Lead();

  explicit operator bool() const { return flight_ != nullptr; }
  /// Ends the duty; the caller lands the flight.
  std::shared_ptr<Flight> release() { return std::move(flight_); }

 private:
  Stripe* stripe_ = nullptr;
  std::shared_ptr<Flight> flight_;
};

/// What a waiter is told: the leader's answer, or to lead.
using Told = std::variant<Result<Found>, Lead>;

/// One that waits, on its executor's thread.
struct Waiter {
  explicit Waiter(const Executor& on) : executor(on), timer(on) {}

  /// Any thread: has the waiter told on its own thread, where the last handle is dropped, too.
  static void tell(std::shared_ptr<Waiter> waiter, Told told);

  const Executor executor;
  Timer timer;
  std::optional<Told> told;
  bool gone = false;
};

/// A place among a flight's waiters. Owned by the waiting coroutine; leaves the flight when that
/// ends, however it ends. Move-only.
class Seat {
 public:
  Seat() = default;
  Seat(Stripe& stripe, std::shared_ptr<Flight> flight, std::shared_ptr<Waiter> waiter)
      : stripe_(&stripe), flight_(std::move(flight)), waiter_(std::move(waiter)) {}
  Seat(Seat&& other) noexcept
      : stripe_(other.stripe_),
        flight_(std::move(other.flight_)),
        waiter_(std::move(other.waiter_)) {}
  Seat& operator=(Seat&&) = delete;
  ~Seat();

  /// Waits to be told, until the deadline. Nothing when that came first.
  Task<std::optional<Told>> wait(Deadline deadline, const Clock& clock);

 private:
  Stripe* stripe_ = nullptr;
  std::shared_ptr<Flight> flight_;
  std::shared_ptr<Waiter> waiter_;
};

}  // namespace cairn
