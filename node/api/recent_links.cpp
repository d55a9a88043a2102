#include "node/api/recent_links.h"

#include "node/api/chain_answers.h"

namespace cairn::api {

void RecentLinks::offer(const LinkId& id, std::uint64_t seq, ByteView link) {
  if (followers_ == 0) return;
  auto event = std::make_shared<std::string>();
  append_link_event(seq, link, *event);
  if (event->size() > limit_bytes_ / 4) return;
  const std::size_t added = event->size();
  const std::lock_guard lock(mutex_);
  if (!events_.emplace(id, std::move(event)).second) return;
  order_.push_back(id);
  bytes_ += added;
  while (bytes_ > limit_bytes_) {
    const auto oldest = events_.find(order_.front());
    bytes_ -= oldest->second->size();
    events_.erase(oldest);
    order_.pop_front();
  }
}

std::shared_ptr<const std::string> RecentLinks::find(const LinkId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = events_.find(id);
  return found == events_.end() ? nullptr : found->second;
}

}  // namespace cairn::api
