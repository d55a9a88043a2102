#include "storage/block_holds.h"

#include <algorithm>

namespace cairn {

bool BlockHolds::Hold::leaving(const BlockId& id) const {
  return !leaving_.empty() && std::ranges::find(leaving_, id) != leaving_.end();
}

void BlockHolds::Hold::release() {
  const auto table = std::exchange(table_, nullptr);
  if (table == nullptr) return;
  for (const BlockId& id : ids_) {
    Stripe& stripe = table->of(id);
    const std::lock_guard lock(stripe.mutex);
    const auto found = stripe.states.find(id);
    if (--found->second.holders == 0 && !found->second.watched) stripe.states.erase(found);
  }
}

BlockHolds::Hold BlockHolds::take(std::vector<BlockId> ids) {
  Hold hold;
  for (const BlockId& id : ids) {
    Stripe& stripe = table_->of(id);
    const std::lock_guard lock(stripe.mutex);
    State& state = stripe.states[id];
    ++state.holders;
    state.held_since = true;
    if (state.leaving) hold.leaving_.push_back(id);
  }
  hold.table_ = table_;
  hold.ids_ = std::move(ids);
  return hold;
}

bool BlockHolds::watch(const BlockId& id) {
  Stripe& stripe = table_->of(id);
  const std::lock_guard lock(stripe.mutex);
  State& state = stripe.states[id];
  if (state.holders > 0) return false;
  state = State{.holders = 0, .watched = true};
  return true;
}

bool BlockHolds::close(const BlockId& id) {
  Stripe& stripe = table_->of(id);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.states.find(id);
  if (found == stripe.states.end() || !found->second.watched || found->second.held_since) {
    return false;
  }
  found->second.leaving = true;
  return true;
}

void BlockHolds::forget(const BlockId& id) {
  Stripe& stripe = table_->of(id);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.states.find(id);
  if (found == stripe.states.end()) return;
  found->second = State{.holders = found->second.holders};
  if (found->second.holders == 0) stripe.states.erase(found);
}

}  // namespace cairn
