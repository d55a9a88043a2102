#include "node/api/batch.h"

#include <algorithm>
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
  ByteBudget::Share share = budget_.take(kFirstBytes);
  if (!share) co_return Refused{Refusal::overloaded, {}};
  Bytes slice(kFirstBytes);
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
    if (got.value() == slice.size() && slice.size() < kSliceBytes) {
      if (ByteBudget::Share more = budget_.take(kSliceBytes)) {
        slice = Bytes(kSliceBytes);
        share = std::move(more);
      }
    }
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
        begin_frame();
        break;
      case FrameDecoder::Step::bytes: co_await add_to_frame(decoder_.part()); break;
      case FrameDecoder::Step::end: co_await end_frame(); break;
    }
  }
}

void BatchCall::begin_frame() {
  Item& item = items_.emplace_back();
  item.size_bytes = decoder_.length();
  if (decoder_.length() == 0) {
    item.refusal = Refusal::empty_block;
  } else if (decoder_.length() > limits_.block_bytes) {
    item.refusal = Refusal::too_large;
  } else {
    frame_.emplace(budget_, decoder_.length(), /*declared=*/true);
  }
}

Task<void> BatchCall::add_to_frame(ByteView part) {
  while (frame_ && !part.empty()) {
    if (!frame_->reserve()) {
      co_await flush();  // Gives back what the group holds.
      if (!frame_->reserve()) {
        items_.back().refusal = Refusal::overloaded;
        frame_.reset();
        co_return;
      }
    }
    const MutableByteView room = frame_->room();
    const std::size_t count = std::min(room.size(), part.size());
    std::memcpy(room.data(), part.data(), count);
    frame_->commit(count);
    part = part.subspan(count);
  }
}

Task<void> BatchCall::end_frame() {
  if (!frame_) co_return;
  BlockUpload upload = std::move(*frame_).finish();
  frame_.reset();
  items_.back().id = upload.block.id();
  group_bytes_ += upload.block.size_bytes();
  group_.push_back(std::move(upload.block));
  group_items_.push_back(items_.size() - 1);
  group_shares_.push_back(std::move(upload.share));
  if (group_bytes_ >= kGroupBytes || group_.size() >= kGroupBlocks) co_await flush();
}

Task<void> BatchCall::flush() {
  if (group_.empty()) co_return;
  std::vector<Block> group = std::exchange(group_, {});
  const std::vector<Result<Stored>> answers =
      co_await store_.put_many(std::move(group), clock_.in(limits_.deadline));
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
