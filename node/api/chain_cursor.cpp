#include "node/api/chain_cursor.h"

namespace cairn::api {

ChainNews ChainCursor::resync(const ChainHead& head) {
  told(head);
  ChainNews news;
  news.resync = head;
  return news;
}

Task<Result<ChainNews>> ChainCursor::step(ChainStore& chains, ChainHead head, Deadline deadline) {
  const std::uint64_t last = last_of(head);
  const bool whole = last == head.seq;
  if (seen_ >= last) {
    ended_ = ended_ || !whole || head.removed;
    co_return ChainNews{};
  }
  if (whole && (head.first_kept > seen_ + 1 || head.seq - seen_ > kFarBehind)) {
    co_return resync(head);
  }
  auto page = co_await chains.links(chain_, seen_ + 1, kStepLinks, deadline);
  if (!page.has_value()) co_return page.error();
  LinkPage& found = page.value();
  if (found.first != seen_ + 1 || found.links.empty()) {
    if (whole) co_return resync(found.head);
    ended_ = true;
    co_return ChainNews{};
  }
  ChainNews news;
  news.first = found.first;
  for (Bytes& link : found.links) {
    if (seen_ == last) break;
    ++seen_;
    news.links.push_back(std::move(link));
  }
  ended_ = seen_ == last && (!whole || (found.head.removed && seen_ == found.head.seq));
  co_return news;
}

}  // namespace cairn::api
