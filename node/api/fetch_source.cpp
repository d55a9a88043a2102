#include "node/api/fetch_source.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>

#include "node/api/frames.h"

namespace cairn::api {
namespace {

// Up to here a copy costs less than a write of its own.
constexpr std::size_t kCopyBytes = std::size_t{16} << 10;
constexpr std::size_t kGatherBytes = std::size_t{64} << 10;

void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

Task<void> FetchSource::read_ahead(BlockStore& store, std::shared_ptr<Slot> slot, Deadline deadline,
                                   Gate::Pass pass) {
  slot->answer = co_await store.get(slot->id, deadline);
  const Gate::Pass until_here = std::move(pass);
}

bool FetchSource::start(const BlockId& id, const Executor& executor) {
  auto slot = std::make_shared<Slot>();
  slot->id = id;
  slot->answer = world_.store.try_get(id);
  if (slot->answer) {
    slot->ready.fire();
    window_.push_back(std::move(slot));
    return true;
  }
  slot->share = world_.budget.take(world_.block_bytes);
  Gate::Pass pass = world_.reads.enter();
  if (!slot->share || !pass) return false;
  window_.push_back(slot);
  boost::asio::co_spawn(
      executor, read_ahead(world_.store, slot, world_.clock.in(world_.deadline), std::move(pass)),
      [slot](const std::exception_ptr& failure) {
        if (failure) slot->answer = fail(Errc::unavailable);
        slot->ready.fire();
      });
  return true;
}

void FetchSource::look_ahead(const Executor& executor) {
  while (window_.size() < kAhead && next_id_ < ids_.size() && start(ids_[next_id_], executor)) {
    ++next_id_;
  }
}

Task<void> FetchSource::wait_for_front() {
  if (window_.empty()) {
    // No budget or no gate for a block ahead: then this one alone, while the client waits.
    auto slot = std::make_shared<Slot>();
    slot->id = ids_[next_id_++];
    window_.push_back(slot);
    slot->answer = co_await world_.store.get(slot->id, world_.clock.in(world_.deadline));
    co_return;
  }
  const std::shared_ptr<Slot> front = window_.front();
  co_await front->ready.wait();
}

bool FetchSource::append_front() {
  const std::shared_ptr<Slot> slot = std::move(window_.front());
  window_.pop_front();
  append(out_, slot->id.view());
  const Result<Found>& answer = *slot->answer;
  if (!answer) {
    const bool gone = answer.error().code == Errc::not_found;
    append(out_, frame_length_bytes(gone ? kFrameNotHeld : kFrameUnavailable));
    return false;
  }
  const Block& block = answer.value().block;
  append(out_, frame_length_bytes(block.size_bytes()));
  if (block.size_bytes() <= kCopyBytes) {
    append(out_, block.bytes());
    return false;
  }
  large_ = block;
  large_share_ = std::move(slot->share);
  return true;
}

std::size_t FetchSource::kept_bytes() const {
  std::size_t sum = out_.capacity();
  if (large_ && !large_share_) sum += large_.size_bytes();
  for (const auto& slot : window_) {
    const bool held = slot->answer && *slot->answer && !slot->share;
    if (held) sum += slot->answer->value().block.size_bytes();
  }
  return sum;
}

Task<Result<ByteView>> FetchSource::next() {
  const Executor executor = co_await boost::asio::this_coro::executor;
  out_.clear();
  if (large_follows_) {
    large_follows_ = false;
    look_ahead(executor);
    co_return large_.bytes();
  }
  large_ = {};
  large_share_ = {};
  while (out_.size() < kGatherBytes && !large_follows_) {
    look_ahead(executor);
    if (window_.empty() && next_id_ == ids_.size()) break;
    const bool ready = !window_.empty() && window_.front()->answer.has_value();
    if (!ready && !out_.empty()) break;
    if (!ready) co_await wait_for_front();
    large_follows_ = append_front();
  }
  look_ahead(executor);
  co_return ByteView(out_);
}

}  // namespace cairn::api
