#include "node/api/frames.h"

#include <algorithm>

namespace cairn::api {

std::array<std::uint8_t, kFrameLengthBytes> frame_length_bytes(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)};
}

FrameDecoder::Step FrameDecoder::next(ByteView& input) {
  part_ = {};
  if (state_ == State::body) {
    if (left_ == 0) {
      state_ = State::header;
      return Step::end;
    }
    if (input.empty()) return Step::need_more;
    part_ = input.first(std::min<std::size_t>(left_, input.size()));
    input = input.subspan(part_.size());
    left_ -= static_cast<std::uint32_t>(part_.size());
    return Step::bytes;
  }
  const std::size_t count = std::min(header_.size() - header_filled_, input.size());
  std::copy_n(input.begin(), count, header_.begin() + static_cast<std::ptrdiff_t>(header_filled_));
  header_filled_ += count;
  input = input.subspan(count);
  if (header_filled_ < header_.size()) return Step::need_more;
  header_filled_ = 0;
  length_ = 0;
  for (std::size_t i = header_.size(); i-- > 0;) length_ = (length_ << 8) | header_[i];
  left_ = length_;
  state_ = State::body;
  return Step::begin;
}

}  // namespace cairn::api
