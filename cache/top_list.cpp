#include "cache/top_list.h"

#include <algorithm>
#include <utility>

namespace cairn {
namespace {

/// After so long everything counted weighs half.
constexpr double kFadeSeconds = 60;

double seconds_between(MonoTime from, MonoTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

TopList::TopList(double one_in, const Clock& clock)
    : one_in_(one_in), clock_(clock), faded_at_(clock.mono()) {}

void TopList::count(const BlockId& id, std::uint32_t size_bytes, Source source) {
  const std::lock_guard lock(mutex_);
  fade();
  const auto found = places_.find(id);
  if (found != places_.end()) {
    Slot& slot = heap_[found->second];
    ++slot.count;
    slot.size_bytes = size_bytes;
    slot.source = source;
    sink(found->second);
    return;
  }
  if (heap_.size() < kEntries) {
    heap_.emplace_back();
    place(heap_.size() - 1, {id, 1, 0, size_bytes, source});
    rise(heap_.size() - 1);
    return;
  }
  const std::uint64_t least = heap_.front().count;
  places_.erase(heap_.front().id);
  place(0, {id, least + 1, least, size_bytes, source});
  sink(0);
}

void TopList::place(std::size_t at, Slot slot) {
  places_[slot.id] = at;
  heap_[at] = slot;
}

void TopList::sink(std::size_t at) {
  const Slot slot = heap_[at];
  for (;;) {
    std::size_t child = 2 * at + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].count < heap_[child].count) ++child;
    if (heap_[child].count >= slot.count) break;
    place(at, heap_[child]);
    at = child;
  }
  place(at, slot);
}

void TopList::rise(std::size_t at) {
  const Slot slot = heap_[at];
  while (at > 0 && heap_[(at - 1) / 2].count > slot.count) {
    place(at, heap_[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  place(at, slot);
}

void TopList::fade() {
  const MonoTime now = clock_.mono();
  const double since = seconds_between(faded_at_, now);
  if (since < kFadeSeconds) return;
  faded_at_ = now;
  window_before_s_ = (window_before_s_ + since) / 2;
  // Halving keeps the order of a heap.
  for (Slot& slot : heap_) {
    slot.count /= 2;
    slot.error /= 2;
  }
}

double TopList::window_s() const {
  // A first second counts as a whole one: a single request is no rate yet.
  return std::max(1.0, window_before_s_ + seconds_between(faded_at_, clock_.mono()));
}

TopList::Entry TopList::entry_of(const Slot& slot) const {
  const double each = one_in_ / window_s();
  return {slot.id, static_cast<double>(slot.count) * each, static_cast<double>(slot.error) * each,
          slot.size_bytes, slot.source};
}

std::vector<TopList::Entry> TopList::top(std::size_t most) const {
  std::vector<Entry> out;
  {
    const std::lock_guard lock(mutex_);
    out.reserve(heap_.size());
    for (const Slot& slot : heap_) {
      if (slot.count > slot.error) out.push_back(entry_of(slot));
    }
  }
  std::ranges::sort(out, [](const Entry& a, const Entry& b) {
    return a.per_second != b.per_second ? a.per_second > b.per_second : a.id < b.id;
  });
  out.resize(std::min(most, out.size()));
  return out;
}

TopList::Entry TopList::find(const BlockId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(id);
  if (found == places_.end()) return {id, 0, 0, 0, Source::storage};
  return entry_of(heap_[found->second]);
}

}  // namespace cairn
