#include "node/api/batch.h"

#include <boost/asio/post.hpp>
#include <cstring>

namespace cairn::api {
namespace {

// A group is one synced write: large enough that the sync is shared by many small blocks, small
// enough that it waits in memory for a moment only.
constexpr std::size_t kGroupBytes = std::size_t{4} << 20;
constexpr std::size_t kGroupBlocks = 256;
constexpr std::size_t kYieldBytes = std::size_t{1} << 20;

std::uint16_t status_of(Stored stored) {
  return stored == Stored::created ? 201 : 200;
}

}  // namespace

Task<std::optional<Refused>> BatchCall::run(http::BodyReader& body) {
  const ByteBudget::Share share = budget_.take(kSliceBytes);
  if (!share) co_return Refused{Refusal::overloaded, {}};
  Bytes slice(kSliceBytes);
  std::uint64_t total = 0;
  std::size_t since_yield = 0;
  while (true) {
    const Result<std::size_t> got = co_await body.read(slice);
    if (!got) co_return Refused{refusal_of_read(got.error().code), {}};
    if (got.value() == 0) break;
    total += got.value();
    if (total > limits_.body_bytes) co_return Refused{Refusal::too_large, {}};
    const auto refused = co_await take(ByteView(slice).first(got.value()));
    if (refused) co_return refused;
    since_yield += got.value();
    if (since_yield >= kYieldBytes) {
      since_yield = 0;
      co_await boost::asio::post(kAwait);
    }
  }
  if (!decoder_.at_boundary()) co_return Refused{Refusal::bad_frames, {}};
  co_await flush();
  co_return std::nullopt;
}

Task<std::optional<Refused>> BatchCall::take(ByteView input) {
  while (true) {
    switch (decoder_.next(input)) {
      case FrameDecoder::Step::need_more: co_return std::nullopt;
      case FrameDecoder::Step::begin:
        if (items_.size() == limits_.blocks) {
          co_return Refused{Refusal::too_many,
                            "at most " + std::to_string(limits_.blocks) + " frames are taken"};
        }
        co_await begin_frame();
        break;
      case FrameDecoder::Step::bytes:
        if (buffer_.capacity_bytes() == 0) break;
        hasher_.update(decoder_.part());
        std::memcpy(buffer_.room().data(), decoder_.part().data(), decoder_.part().size());
        buffer_.commit(decoder_.part().size());
        break;
      case FrameDecoder::Step::end: co_await end_frame(); break;
    }
  }
}

Task<void> BatchCall::begin_frame() {
  Item& item = items_.emplace_back();
  item.size_bytes = decoder_.length();
  if (decoder_.length() == 0) {
    item.refusal = Refusal::empty_block;
    co_return;
  }
  if (decoder_.length() > limits_.block_bytes) {
    item.refusal = Refusal::too_large;
    co_return;
  }
  buffer_share_ = budget_.take(decoder_.length());
  if (!buffer_share_) {
    co_await flush();  // Gives back what the group holds.
    buffer_share_ = budget_.take(decoder_.length());
  }
  if (!buffer_share_) {
    item.refusal = Refusal::overloaded;
    co_return;
  }
  buffer_ = BlockBuffer(decoder_.length());
}

Task<void> BatchCall::end_frame() {
  if (buffer_.capacity_bytes() == 0) co_return;
  const BlockId id = hasher_.finish_block_id();
  items_.back().id = id;
  group_bytes_ += buffer_.size_bytes();
  group_.push_back(std::move(buffer_).finish(id));
  group_items_.push_back(items_.size() - 1);
  group_shares_.push_back(std::move(buffer_share_));
  buffer_ = BlockBuffer();
  buffer_share_ = {};
  if (group_bytes_ >= kGroupBytes || group_.size() >= kGroupBlocks) co_await flush();
}

Task<void> BatchCall::flush() {
  if (group_.empty()) co_return;
  const std::vector<Result<Stored>> answers =
      co_await store_.put_many(std::exchange(group_, {}), clock_.in(limits_.deadline));
  for (std::size_t i = 0; i < group_items_.size(); ++i) {
    Item& item = items_[group_items_[i]];
    if (answers[i]) {
      item.stored = answers[i].value();
    } else {
      item.refusal = refusal_of(answers[i].error().code);
    }
  }
  group_items_.clear();
  group_shares_.clear();
  group_bytes_ = 0;
}

std::string BatchCall::results_json() const {
  std::string out = "{\"results\":[";
  bool first = true;
  for (const Item& item : items_) {
    if (!std::exchange(first, false)) out.push_back(',');
    out.push_back('{');
    if (item.id) out.append("\"id\":\"").append(item.id->text()).append("\",");
    out.append("\"size\":").append(std::to_string(item.size_bytes)).append(",");
    if (item.refusal) {
      append_problem_members(out, *item.refusal);
    } else {
      out.append("\"status\":").append(std::to_string(status_of(item.stored)));
    }
    out.push_back('}');
  }
  out.append("]}");
  return out;
}

}  // namespace cairn::api
