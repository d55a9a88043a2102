#include "cache/what_if.h"

#include <algorithm>
#include <utility>

namespace cairn {
namespace {

/// Every id at first: where little is asked, that is no work, and few objects need a large sample.
constexpr unsigned kFirstBits = 0;
constexpr unsigned kMostBits = 16;
/// Requests of the sample in a second, some 2 us each.
constexpr std::size_t kMostPerSecond = 4'096;
/// A put is as much work as so many requests: it is new to every miniature, and pushes something
/// out.
constexpr std::size_t kPutWeight = 4;
/// Entries of all miniatures together: 36 B each and a name of 64 B for each id.
constexpr std::size_t kMostEntries = 200'000;
/// What a tier's tables take for a block beside its footprint.
constexpr std::size_t kEntryBytes = 40;
/// The tier admits a block of a quarter of the budget at most.
constexpr std::size_t kLargestShare = 4;
/// After so long everything counted weighs half.
constexpr double kFadeSeconds = 600;

constexpr std::array kPolicies{PolicyKind::lru, PolicyKind::s3_fifo};

std::uint32_t mask_of(unsigned bits) {
  return bits == 0 ? 0 : ~std::uint32_t{0} << (32U - bits);
}

double seconds_between(MonoTime from, MonoTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

WhatIf::WhatIf(std::size_t budget_bytes, const Clock& clock)
    : clock_(clock),
      mask_(mask_of(kFirstBits)),
      budget_bytes_(0),
      bits_(kFirstBits),
      faded_at_(clock.mono()),
      second_began_(faded_at_) {
  for (const PolicyKind policy : kPolicies) {
    for (const std::size_t eighths : kEighths) minis_.push_back({{policy, 0, 0}, eighths, policy});
  }
  set_budget(budget_bytes);
}

void WhatIf::set_budget(std::size_t budget_bytes) {
  const std::lock_guard lock(mutex_);
  budget_bytes_ = budget_bytes;
  // What was counted belongs to other budgets.
  requests_before_ = static_cast<double>(requests_.sum());
  bytes_before_ = static_cast<double>(bytes_.sum());
  sampled_ = sampled_bytes_ = window_s_ = 0;
  faded_at_ = clock_.mono();
  for (Mini& mini : minis_) {
    const std::size_t budget = budget_bytes / 8 * mini.eighths;
    mini.cache.resize(scaled(budget), budget / kLargestShare);
    mini.hits = mini.hit_bytes = 0;
  }
}

/// One handle for all miniatures that want the name, where the largest of a policy has it: the
/// others hardly hold what that one does not.
Block WhatIf::name_of(std::uint32_t tag, const Block& block) const {
  for (std::size_t i = kEighths.size(); i <= minis_.size(); i += kEighths.size()) {
    if (Block held = minis_[i - 1].cache.held(tag, block.id())) return held;
  }
  return Block::copy_of(block.id(), {});
}

void WhatIf::play(std::uint32_t tag, const Block& block) {
  const std::lock_guard lock(mutex_);
  if (budget_bytes_ == 0 || !in_sample(tag)) return;
  fade();
  keep_pace(1);
  const Block name = name_of(tag, block);
  const std::size_t charge = block.footprint_bytes() + kEntryBytes;
  const double bytes = block.size_bytes();
  sampled_ += 1;
  sampled_bytes_ += bytes;
  for (Mini& mini : minis_) {
    if (!mini.cache.ask(tag, name, charge)) continue;
    mini.hits += 1;
    mini.hit_bytes += bytes;
  }
  if (entries() > kMostEntries) thin_out();
}

void WhatIf::place(std::uint32_t tag, const Block& block) {
  const std::lock_guard lock(mutex_);
  if (budget_bytes_ == 0 || !in_sample(tag)) return;
  keep_pace(kPutWeight);
  const Block name = name_of(tag, block);
  const std::size_t charge = block.footprint_bytes() + kEntryBytes;
  for (Mini& mini : minis_) mini.cache.store(tag, name, charge);
  if (entries() > kMostEntries) thin_out();
}

void WhatIf::erased(std::uint32_t tag, const BlockId& id) {
  if (!in_sample(tag)) return;
  const std::lock_guard lock(mutex_);
  for (Mini& mini : minis_) mini.cache.erase(tag, id);
}

std::size_t WhatIf::entries() const {
  std::size_t sum = 0;
  for (const Mini& mini : minis_) sum += mini.cache.entries();
  return sum;
}

void WhatIf::thin_out() {
  if (bits_ == kMostBits) return;
  ++bits_;
  const std::uint32_t mask = mask_of(bits_);
  mask_.store(mask, std::memory_order_relaxed);
  for (Mini& mini : minis_) {
    mini.cache.keep_if([mask](std::uint32_t tag) { return (tag & mask) == 0; });
    const std::size_t budget = budget_bytes_ / 8 * mini.eighths;
    mini.cache.resize(scaled(budget), budget / kLargestShare);
    mini.hits /= 2;
    mini.hit_bytes /= 2;
  }
  sampled_ /= 2;
  sampled_bytes_ /= 2;
}

void WhatIf::keep_pace(std::size_t weight) {
  const MonoTime now = clock_.mono();
  if (now - second_began_ >= std::chrono::seconds(1)) {
    second_began_ = now;
    in_second_ = 0;
  }
  in_second_ += weight;
  if (in_second_ > kMostPerSecond) {
    in_second_ = 0;
    thin_out();
  }
}

void WhatIf::fade() {
  const MonoTime now = clock_.mono();
  const double since = seconds_between(faded_at_, now);
  if (since < kFadeSeconds) return;
  faded_at_ = now;
  window_s_ = (window_s_ + since) / 2;
  const auto requests = static_cast<double>(requests_.sum());
  const auto bytes = static_cast<double>(bytes_.sum());
  requests_before_ = requests - (requests - requests_before_) / 2;
  bytes_before_ = bytes - (bytes - bytes_before_) / 2;
  sampled_ /= 2;
  sampled_bytes_ /= 2;
  for (Mini& mini : minis_) {
    mini.hits /= 2;
    mini.hit_bytes /= 2;
  }
}

WhatIf::Report WhatIf::report() {
  const std::lock_guard lock(mutex_);
  Report out;
  out.window_s = window_s_ + seconds_between(faded_at_, clock_.mono());
  out.requests = static_cast<double>(requests_.sum()) - requests_before_;
  out.bytes = static_cast<double>(bytes_.sum()) - bytes_before_;
  out.one_in = 1U << bits_;
  for (const PolicyKind policy : kPolicies) {
    Curve curve{policy, {}};
    for (const Mini& mini : minis_) {
      if (mini.policy != policy) continue;
      // A sample of ids has by chance more or fewer of the much asked for than its share; those
      // are answered from memory whatever its size (Waldspurger et al., "Efficient MRC Construction
      // with SHARDS", 2015, section 3.5).
      const auto share = [](double hits, double sampled, double expected) {
        return expected <= 0 ? 0.0 : std::clamp((hits + expected - sampled) / expected, 0.0, 1.0);
      };
      const double rate = 1.0 / out.one_in;
      curve.points.push_back({budget_bytes_ / 8 * mini.eighths,
                              share(mini.hits, sampled_, out.requests * rate),
                              share(mini.hit_bytes, sampled_bytes_, out.bytes * rate)});
      out.sampled_ids = std::max(out.sampled_ids, mini.cache.entries());
      out.overhead_bytes += mini.cache.overhead_bytes();
    }
    out.curves.push_back(std::move(curve));
  }
  out.overhead_bytes += out.sampled_ids * 64;
  return out;
}

}  // namespace cairn
