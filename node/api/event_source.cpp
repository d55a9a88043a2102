#include "node/api/event_source.h"

#include "node/api/chain_answers.h"

namespace cairn::api {

Task<Result<ByteView>> EventSource::next() {
  shared_.reset();
  if (!greeted_) {
    // At once, so that whoever waits for the head of the answer has it.
    greeted_ = true;
    out_ = ": follows\n\n";
    co_return as_bytes(out_);
  }
  if (ended_ || world_.ending) co_return ByteView();
  out_.clear();
  out_.shrink_to_fit();
  const auto head =
      co_await world_.chains.wait_beyond(chain_, seen_, world_.clock.in(world_.heartbeat));
  if (world_.ending) co_return ByteView();
  if (!head.has_value()) {
    // It may pass: a reader comes back by itself, with the id of what it had last.
    co_return head.error();
  }
  if (head.value().seq <= seen_) {
    out_ = ":\n\n";
    co_return as_bytes(out_);
  }
  co_return co_await step(head.value());
}

std::uint64_t EventSource::last_of(const ChainHead& head) const {
  return head.fetch_token_hash == right_ ? head.seq : head.rotated_at;
}

Result<ByteView> EventSource::resync(const ChainHead& head) {
  append_resync_event(head, out_);
  seen_ = head.seq;
  ended_ = head.removed;
  return as_bytes(out_);
}

Task<Result<ByteView>> EventSource::step(ChainHead head) {
  const std::uint64_t last = last_of(head);
  if (seen_ >= last) {
    ended_ = true;
    co_return ByteView();
  }
  if (head.seq == seen_ + 1 && last == head.seq) {
    shared_ = world_.recent.find(head.link);
    if (shared_ != nullptr) {
      seen_ = head.seq;
      ended_ = head.removed;
      co_return as_bytes(*shared_);
    }
  }
  const bool told_all = last == head.seq;
  if (told_all && (head.first_kept > seen_ + 1 || head.seq - seen_ > kFarBehind)) {
    co_return resync(head);
  }
  const auto page =
      co_await world_.chains.links(chain_, seen_ + 1, kStepLinks, world_.clock.in(world_.deadline));
  if (!page.has_value()) co_return page.error();
  if (page.value().first != seen_ + 1 || page.value().links.empty()) {
    if (told_all) co_return resync(page.value().head);
    ended_ = true;
    co_return ByteView();
  }
  for (const Bytes& link : page.value().links) {
    if (seen_ < last) append_link_event(++seen_, link, out_);
  }
  ended_ = !told_all ? seen_ == last : head.removed && seen_ == head.seq;
  co_return as_bytes(out_);
}

}  // namespace cairn::api
