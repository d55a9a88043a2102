#include "cache/stripe.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace cairn {

using Lock = std::lock_guard<StripeLock>;

Stripe::Stripe(CacheLedger& ledger, PolicyKind policy)
    : ledger_(ledger), policy_(make_policy(policy)), kind_(policy), balance_(policy_->balance()) {
  publish();
}

Block Stripe::serve(CacheIndex i) {
  CacheEntry& entry = table_[i];
  entry.read = 1;
  // Before the handle is copied: that is an atomic operation on a line that is likely cold, and the
  // policy's own cold lines should not wait behind it.
  policy_->hit(table_, i, ledger_.now_ms.load(std::memory_order_relaxed));
  Block block = entry.block;
  ++hits_;
  hit_bytes_ += block.size_bytes();
  return block;
}

Stripe::Look Stripe::look_up(std::uint32_t tag, const BlockId& id) {
  const Lock lock(lock_);
  const CacheIndex i = table_.find(tag, id);
  if (i != kNoIndex) return {serve(i)};
  return {{}, generation_of(tag), !flights_.empty() && flights_.contains(id)};
}

Block Stripe::peek(std::uint32_t tag, const BlockId& id) {
  const Lock lock(lock_);
  const CacheIndex i = table_.find(tag, id);
  return i != kNoIndex ? table_[i].block : Block();
}

Stripe::Entrance Stripe::enter(std::uint32_t tag, const BlockId& id, const Executor& executor,
                               std::size_t max_waiters) {
  Entrance entrance;
  const Lock lock(lock_);
  const CacheIndex i = table_.find(tag, id);
  if (i != kNoIndex) {
    entrance.block = serve(i);
    return entrance;
  }
  ++counters_.misses;
  const auto [at, first] = flights_.try_emplace(id);
  if (first) {
    at->second = std::make_shared<Flight>(Flight{id, tag, generation_of(tag), true, {}});
    entrance.lead = Lead(*this, at->second);
  } else if (at->second->waiters.size() >= max_waiters) {
    ++counters_.waiters_refused;
    entrance.refused = true;
  } else {
    ++counters_.coalesced;
    auto waiter = std::make_shared<Waiter>(executor);
    at->second->waiters.push_back(waiter);
    entrance.seat.emplace(*this, at->second, std::move(waiter));
  }
  return entrance;
}

void Stripe::land(Lead lead, const Result<Found>& answer, Block block, std::size_t charge_bytes) {
  const std::shared_ptr<Flight> flight = lead.release();
  std::vector<std::shared_ptr<Waiter>> waiters;
  {
    const Lock lock(lock_);
    if (block) put_in(flight->tag, flight->generation, std::move(block), charge_bytes);
    unlist(*flight);
    waiters.swap(flight->waiters);
  }
  for (auto& waiter : waiters) Waiter::tell(std::move(waiter), answer);
}

void Stripe::hand_over(std::shared_ptr<Flight> flight) {
  std::shared_ptr<Waiter> next;
  {
    const Lock lock(lock_);
    if (flight->waiters.empty()) {
      unlist(*flight);
      return;
    }
    next = std::move(flight->waiters.front());
    flight->waiters.erase(flight->waiters.begin());
    ++counters_.handovers;
  }
  Waiter::tell(std::move(next), Lead(*this, std::move(flight)));
}

void Stripe::leave(Flight& flight, const Waiter& waiter) {
  const Lock lock(lock_);
  std::erase_if(flight.waiters, [&](const auto& each) { return each.get() == &waiter; });
}

std::uint32_t Stripe::generation(std::uint32_t tag) {
  const Lock lock(lock_);
  return generation_of(tag);
}

void Stripe::insert(std::uint32_t tag, std::uint32_t generation, Block block,
                    std::size_t charge_bytes) {
  const Lock lock(lock_);
  put_in(tag, generation, std::move(block), charge_bytes);
}

void Stripe::supersede(const BlockId& id) {
  const Lock lock(lock_);
  unlist(id);
}

void Stripe::erase(std::uint32_t tag, const BlockId& id) {
  Block erased;
  const Lock lock(lock_);
  ++generation_of(tag);
  unlist(id);
  const CacheIndex i = table_.find(tag, id);
  if (i == kNoIndex) return;
  ++counters_.erased;
  erased = take_out(i);
  publish();
}

void Stripe::count_miss() {
  const Lock lock(lock_);
  ++counters_.misses;
}

void Stripe::count_refused() {
  const Lock lock(lock_);
  ++counters_.refused;
}

Stripe::Eviction Stripe::evict(std::size_t need_bytes, std::size_t largest_bytes, bool sure,
                               std::size_t& evicted) {
  std::array<Block, kEvictAtOnce> blocks;
  const Lock lock(lock_);
  if (!sure && policy_->balance() == Balance::oldest) {
    const std::uint32_t known = oldest_ms_.load(std::memory_order_relaxed);
    publish();
    if (oldest_ms_.load(std::memory_order_relaxed) != known) return Eviction::stale;
  }
  Eviction outcome = Eviction::freed;
  std::size_t freed = 0;
  std::size_t count = 0;
  while (count < blocks.size() && freed < need_bytes) {
    const std::uint32_t now_ms = ledger_.now_ms.load(std::memory_order_relaxed);
    const CacheIndex i = policy_->victim(table_, now_ms);
    if (i == kNoIndex) {
      outcome = table_.size() == 0 ? Eviction::empty : Eviction::searched;
      break;
    }
    const CacheEntry& entry = table_[i];
    const std::size_t charge = entry.charge_bytes();
    if (charge > largest_bytes) {
      outcome = Eviction::kept;
      break;
    }
    // The last one may be much larger than what is still missing: that is the caller's to weigh.
    if (count > 0 && charge > need_bytes - freed) break;
    const std::uint32_t tag = entry.tag;
    const auto list = static_cast<CacheList>(entry.list);
    ++counters_.evictions;
    counters_.evicted_bytes += entry.block.size_bytes();
    counters_.evicted_unread += entry.read == 0 ? 1 : 0;
    counters_.evicted_age_ms_total += now_ms - entry.placed_ms;
    blocks[count++] = take_out(i);
    policy_->evicted(tag, list, table_.size());
    freed += charge;
  }
  publish();
  evicted += count;
  return count > 0 ? Eviction::freed : outcome;
}

std::uint64_t Stripe::claim() const {
  if (objects_.load(std::memory_order_relaxed) == 0) return 0;
  const std::size_t bytes = bytes_.load(std::memory_order_relaxed);
  if (balance_.load(std::memory_order_relaxed) == Balance::largest) return bytes + 1;
  // Among equally old ones, and coarse time makes many, the larger one gives.
  const std::uint32_t age_ms =
      ledger_.now_ms.load(std::memory_order_relaxed) - oldest_ms_.load(std::memory_order_relaxed);
  return (std::uint64_t{age_ms} << 32) | std::min<std::uint64_t>(bytes / 8 + 1, 0xffffffffU);
}

void Stripe::set_policy(PolicyKind kind) {
  std::unique_ptr<CachePolicy> policy = make_policy(kind);
  const Lock lock(lock_);
  if (kind == kind_) return;
  kind_ = kind;
  policy_.swap(policy);
  balance_.store(policy_->balance(), std::memory_order_relaxed);
  publish();
}

void Stripe::add_stats(CacheStats& sum) {
  const Lock lock(lock_);
  sum.hits += hits_;
  sum.hit_bytes += hit_bytes_;
  sum.misses += counters_.misses;
  sum.coalesced += counters_.coalesced;
  sum.waiters_refused += counters_.waiters_refused;
  sum.handovers += counters_.handovers;
  sum.inserts += counters_.inserts;
  sum.inserted_bytes += counters_.inserted_bytes;
  sum.evictions += counters_.evictions;
  sum.evicted_bytes += counters_.evicted_bytes;
  sum.evicted_unread += counters_.evicted_unread;
  sum.evicted_age_ms_total += counters_.evicted_age_ms_total;
  sum.erased += counters_.erased;
  sum.refused += counters_.refused;
  sum.objects += table_.size();
  sum.block_bytes += table_.bytes();
  sum.overhead_bytes += overhead_counted_;
  sum.fetches += flights_.size();
}

void Stripe::put_in(std::uint32_t tag, std::uint32_t generation, Block block,
                    std::size_t charge_bytes) {
  const bool current = generation == generation_of(tag);
  if (!current || table_.find(tag, block.id()) != kNoIndex) {
    counters_.refused += current ? 0 : 1;
    ledger_.used_bytes.fetch_sub(charge_bytes, std::memory_order_relaxed);
    return;
  }
  ++counters_.inserts;
  counters_.inserted_bytes += block.size_bytes();
  const CacheIndex i = table_.insert(tag, std::move(block), charge_bytes, policy_->list_for(tag),
                                     ledger_.now_ms.load(std::memory_order_relaxed));
  // What was reserved and what is booked differ by the rounding to words.
  ledger_.used_bytes.fetch_add(table_[i].charge_bytes() - charge_bytes, std::memory_order_relaxed);
  publish();
}

Block Stripe::take_out(CacheIndex i) {
  ledger_.used_bytes.fetch_sub(table_[i].charge_bytes(), std::memory_order_relaxed);
  return table_.erase(i);
}

void Stripe::unlist(Flight& flight) {
  if (!flight.listed) return;
  flight.listed = false;
  flights_.erase(flight.id);
}

void Stripe::unlist(const BlockId& id) {
  if (flights_.empty()) return;
  const auto at = flights_.find(id);
  if (at == flights_.end()) return;
  at->second->listed = false;
  flights_.erase(at);
}

std::size_t Stripe::overhead_bytes() const {
  return sizeof *this + table_.overhead_bytes() + policy_->overhead_bytes();
}

void Stripe::publish() {
  const std::size_t overhead = overhead_bytes();
  if (overhead != overhead_counted_) {
    ledger_.used_bytes.fetch_add(overhead - overhead_counted_, std::memory_order_relaxed);
    overhead_counted_ = overhead;
  }
  objects_.store(table_.size(), std::memory_order_relaxed);
  bytes_.store(table_.bytes(), std::memory_order_relaxed);
  const CacheIndex back = table_.back(CacheList::main);
  if (back != kNoIndex) oldest_ms_.store(table_[back].placed_ms, std::memory_order_relaxed);
}

}  // namespace cairn
