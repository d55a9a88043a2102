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
  if (cursor_.ended() || world_.ending) co_return ByteView();
  out_.clear();
  out_.shrink_to_fit();
  const auto head = co_await world_.chains.wait_beyond(cursor_.chain(), cursor_.seen(),
                                                       world_.clock.in(world_.heartbeat));
  if (world_.ending) co_return ByteView();
  // A failure may pass: a reader comes back by itself, with the id of what it had last.
  if (!head.has_value()) co_return head.error();
  if (head.value().seq <= cursor_.seen()) {
    out_ = ":\n\n";
    co_return as_bytes(out_);
  }
  if (cursor_.is_next(head.value())) {
    shared_ = world_.recent.find(head.value().link);
    if (shared_ != nullptr) {
      cursor_.told(head.value());
      co_return as_bytes(*shared_);
    }
  }
  const auto news =
      co_await cursor_.step(world_.chains, head.value(), world_.clock.in(world_.deadline));
  if (!news.has_value()) co_return news.error();
  if (news.value().resync) append_resync_event(*news.value().resync, out_);
  std::uint64_t seq = news.value().first;
  for (const Bytes& link : news.value().links) append_link_event(seq++, link, out_);
  co_return as_bytes(out_);
}

}  // namespace cairn::api
