#include "cache/memory_tier.h"

#include <algorithm>
#include <bit>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <limits>
#include <utility>

#include "base/limits.h"

namespace cairn {
namespace {

constexpr std::size_t kMaxStripes = 1024;
/// A block larger than the budget's share of this is not admitted: it would push out too much.
constexpr std::size_t kLargestShare = 4;
/// Memory may end this share of the budget above it, or below after an eviction.
constexpr std::size_t kSlackShare = 64;
/// Stripes compared for who gives next. Four random ones come close to asking all.
constexpr std::size_t kCandidates = 4;
/// A fill that would take more evictions than this is given up; the room it made stays.
constexpr std::size_t kMaxEvictionsPerFill = 4096;
constexpr std::size_t kEvictionsPerTrimStep = 256;

unsigned shift_for(std::size_t stripes) {
  const std::size_t count = std::bit_ceil(std::clamp<std::size_t>(stripes, 1, kMaxStripes));
  return 64U - static_cast<unsigned>(std::countr_zero(count));
}

}  // namespace

/// Forgets a block now and again at the end, however the erase ends.
class MemoryTier::Erasure {
 public:
  Erasure(const Place& place, const BlockId& id) : place_(place), id_(id) { forget(); }
  Erasure(const Erasure&) = delete;
  Erasure& operator=(const Erasure&) = delete;
  ~Erasure() { forget(); }

 private:
  void forget() { place_.stripe.erase(place_.tag, id_); }
  const Place place_;
  const BlockId id_;
};

MemoryTier::MemoryTier(const Options& options, BlockStore& next, const Clock& clock, Random& random)
    : next_(next),
      clock_(clock),
      made_at_(clock.mono()),
      hash_(random),
      max_waiters_(options.max_waiters),
      admit_puts_(options.admit_puts),
      stripe_shift_(shift_for(options.stripes)),
      budget_bytes_(options.budget_bytes),
      policy_(options.policy) {
  const std::size_t count = std::size_t{1} << (64U - stripe_shift_);
  stripes_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    stripes_.push_back(std::make_unique<Stripe>(ledger_, options.policy));
  }
}

MemoryTier::~MemoryTier() = default;

MemoryTier::Place MemoryTier::place_of(const BlockId& id) const {
  const std::uint64_t hash = hash_(id);
  const std::size_t stripe = stripe_shift_ == 64U ? 0 : hash >> stripe_shift_;
  return {*stripes_[stripe], static_cast<std::uint32_t>(hash)};
}

std::optional<Result<Found>> MemoryTier::try_get(const BlockId& id) {
  const Place place = place_of(id);
  Stripe::Look look = place.stripe.look_up(place.tag, id);
  if (look.block) return Result<Found>(in_memory(std::move(look.block)));
  if (look.fetching) return std::nullopt;
  std::optional<Result<Found>> below = next_.try_get(id);
  if (!below) return below;
  place.stripe.count_miss();
  if (below->has_value()) {
    const Block& block = below->value().block;
    const std::size_t charge = make_room(place, block);
    if (charge > 0) place.stripe.insert(place.tag, look.generation, block, charge);
  }
  return below;
}

Task<Result<Found>> MemoryTier::get(BlockId id, Deadline deadline) {
  const Place place = place_of(id);
  const Executor executor = co_await boost::asio::this_coro::executor;
  Stripe::Entrance entrance = place.stripe.enter(place.tag, id, executor, max_waiters_);
  if (entrance.block) co_return in_memory(std::move(entrance.block));
  if (entrance.refused) co_return fail(Errc::overloaded, "too many wait for this block");
  if (entrance.lead) {
    co_return co_await fetch(place.stripe, std::move(entrance.lead), id, deadline);
  }
  std::optional<Told> told = co_await entrance.seat->wait(deadline, clock_);
  if (!told) co_return fail(Errc::unavailable, "the block did not come in time");
  if (auto* answer = std::get_if<Result<Found>>(&*told)) co_return std::move(*answer);
  co_return co_await fetch(place.stripe, std::get<Lead>(std::move(*told)), id, deadline);
}

Task<Result<Found>> MemoryTier::fetch(Stripe& stripe, Lead lead, BlockId id, Deadline deadline) {
  Result<Found> answer = co_await next_.get(id, deadline);
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  const bool cut_short =
      clock_.mono() >= deadline || cancellation.cancelled() != boost::asio::cancellation_type::none;
  if (answer.has_value()) {
    const Block& block = answer.value().block;
    const std::size_t charge = make_room(place_of(id), block);
    stripe.land(std::move(lead), answer, charge > 0 ? block : Block(), charge);
  } else if (answer.error().code != Errc::unavailable || !cut_short) {
    stripe.land(std::move(lead), answer, {}, 0);
  }
  // Else it is only this caller who ends early: the lead goes on to one who waits.
  co_return answer;
}

Task<Result<BlockStat>> MemoryTier::stat(BlockId id, Deadline deadline) {
  {
    const Place place = place_of(id);
    const Block block = place.stripe.peek(place.tag, id);
    if (block) co_return BlockStat{block.size_bytes(), Source::memory};
  }
  co_return co_await next_.stat(id, deadline);
}

Task<Result<Stored>> MemoryTier::put(Block block, Deadline deadline) {
  const Place place = place_of(block.id());
  const std::uint32_t generation = place.stripe.generation(place.tag);
  Result<Stored> stored = co_await next_.put(block, deadline);
  if (stored.has_value()) acknowledged(place, generation, std::move(block));
  co_return stored;
}

Task<std::vector<Result<Stored>>> MemoryTier::put_many(std::vector<Block> blocks,
                                                       Deadline deadline) {
  std::vector<std::uint32_t> generations;
  generations.reserve(blocks.size());
  for (const Block& block : blocks) {
    const Place place = place_of(block.id());
    generations.push_back(place.stripe.generation(place.tag));
  }
  std::vector<Result<Stored>> stored = co_await next_.put_many(blocks, deadline);
  CAIRN_ASSERT(stored.size() == blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (!stored[i].has_value()) continue;
    const Place place = place_of(blocks[i].id());
    acknowledged(place, generations[i], std::move(blocks[i]));
  }
  co_return stored;
}

void MemoryTier::acknowledged(const Place& place, std::uint32_t generation, Block block) {
  place.stripe.supersede(block.id());
  if (!admit_puts_) return;
  const std::size_t charge = make_room(place, block);
  if (charge > 0) place.stripe.insert(place.tag, generation, std::move(block), charge);
}

Task<Result<std::vector<BlockId>>> MemoryTier::missing(std::vector<BlockId> ids,
                                                       Deadline deadline) {
  return next_.missing(std::move(ids), deadline);
}

Task<Result<void>> MemoryTier::erase(BlockId id, Deadline deadline) {
  const Erasure erasure(place_of(id), id);
  co_return co_await next_.erase(id, deadline);
}

Task<void> MemoryTier::set_budget(std::size_t budget_bytes) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  budget_bytes_.store(budget_bytes, std::memory_order_relaxed);
  while (trim_step()) co_await boost::asio::post(executor, kAwait);
}

bool MemoryTier::holds(const BlockId& id) const {
  const Place place = place_of(id);
  return static_cast<bool>(place.stripe.peek(place.tag, id));
}

std::size_t MemoryTier::largest_bytes() const {
  return budget_bytes_.load(std::memory_order_relaxed) / kLargestShare;
}

void MemoryTier::set_policy(PolicyKind policy) {
  policy_.store(policy, std::memory_order_relaxed);
  for (const auto& stripe : stripes_) stripe->set_policy(policy);
}

CacheStats MemoryTier::stats() const {
  CacheStats sum;
  for (const auto& stripe : stripes_) stripe->add_stats(sum);
  sum.used_bytes = ledger_.used_bytes.load(std::memory_order_relaxed);
  sum.budget_bytes = budget_bytes_.load(std::memory_order_relaxed);
  return sum;
}

std::size_t MemoryTier::make_room(const Place& place, const Block& block) {
  const std::size_t budget = budget_bytes_.load(std::memory_order_relaxed);
  if (budget == 0) return 0;
  const std::size_t charge = block.footprint_bytes();
  tell_time();
  if (block.size_bytes() <= largest_bytes() && charge <= EntryTable::kMaxChargeBytes &&
      reserve(charge)) {
    return charge;
  }
  place.stripe.count_refused();
  return 0;
}

bool MemoryTier::reserve(std::size_t bytes) {
  std::size_t evicted = 0;
  for (std::size_t steps = 0; steps < kMaxEvictionsPerFill && evicted < kMaxEvictionsPerFill;) {
    const std::size_t budget = budget_bytes_.load(std::memory_order_relaxed);
    const std::size_t slack = budget / kSlackShare;
    std::size_t used = ledger_.used_bytes.load(std::memory_order_relaxed);
    bool fits = used + bytes <= budget;
    if (!fits) {
      // When the next victim is so large that memory would end further below the budget than it is
      // above it now, being a little above is closer to what was asked for.
      const std::size_t over = used + bytes - budget;
      const std::size_t largest =
          over <= slack ? over + slack : std::numeric_limits<std::size_t>::max();
      const Stripe::Eviction outcome = evict(over, largest, evicted);
      if (outcome == Stripe::Eviction::empty) return false;
      fits = outcome == Stripe::Eviction::kept;
      ++steps;
    }
    if (fits &&
        ledger_.used_bytes.compare_exchange_strong(used, used + bytes, std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

Stripe::Eviction MemoryTier::evict(std::size_t need_bytes, std::size_t largest_bytes,
                                   std::size_t& evicted) {
  constexpr int kLooks = 3;
  for (int look = 1;; ++look) {
    Stripe* const stripe = first_to_give();
    if (stripe == nullptr) return Stripe::Eviction::empty;
    const Stripe::Eviction outcome =
        stripe->evict(need_bytes, largest_bytes, look == kLooks, evicted);
    if (outcome == Stripe::Eviction::empty) return Stripe::Eviction::searched;
    if (outcome != Stripe::Eviction::stale) return outcome;
  }
}

Stripe* MemoryTier::first_to_give() {
  const std::size_t start = hand_.fetch_add(1, std::memory_order_relaxed);
  Stripe* first = nullptr;
  std::uint64_t highest = 0;
  std::size_t candidates = 0;
  for (std::size_t i = 0; i < stripes_.size() && candidates < kCandidates; ++i) {
    Stripe* const stripe = stripes_[(start + i) % stripes_.size()].get();
    const std::uint64_t claim = stripe->claim();
    if (claim == 0) continue;
    ++candidates;
    if (claim > highest) {
      highest = claim;
      first = stripe;
    }
  }
  return first;
}

bool MemoryTier::trim_step() {
  std::size_t evicted = 0;
  for (std::size_t steps = 0; steps < kEvictionsPerTrimStep && evicted < kEvictionsPerTrimStep;
       ++steps) {
    const std::size_t used = ledger_.used_bytes.load(std::memory_order_relaxed);
    const std::size_t budget = budget_bytes_.load(std::memory_order_relaxed);
    if (used <= budget) return false;
    const Stripe::Eviction outcome =
        evict(used - budget, std::numeric_limits<std::size_t>::max(), evicted);
    if (outcome == Stripe::Eviction::empty) return false;
  }
  return true;
}

void MemoryTier::tell_time() {
  const auto since =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.mono() - made_at_);
  const auto now_ms = static_cast<std::uint32_t>(since.count());
  if (ledger_.now_ms.load(std::memory_order_relaxed) != now_ms) {
    ledger_.now_ms.store(now_ms, std::memory_order_relaxed);
  }
}

}  // namespace cairn
