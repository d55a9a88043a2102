// FrameDecoder: the frames of a batch body (length u32 little-endian, bytes), from a stream that is
// cut anywhere. Pure, keeps no bytes of a frame; belongs to the call that feeds it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace cairn::api {

inline constexpr std::size_t kFrameLengthBytes = 4;

/// `value` as 4 bytes, little-endian.
std::array<std::uint8_t, kFrameLengthBytes> frame_length_bytes(std::uint32_t value);

class FrameDecoder {
 public:
  enum class Step : std::uint8_t {
    need_more,  ///< The input is used up.
    begin,      ///< A frame of length() bytes begins.
    bytes,      ///< part() holds its next bytes, at least one; valid as long as the input.
    end,        ///< The frame is complete; every begin is followed by one end.
  };

  /// Takes as much from the front of `input` as one step needs. Any length is let through: what is
  /// too long for the caller, the caller skips.
  Step next(ByteView& input);

  std::uint32_t length() const { return length_; }
  ByteView part() const { return part_; }
  /// True when nothing is half read: where a body may end.
  bool at_boundary() const { return state_ == State::header && header_filled_ == 0; }

 private:
  enum class State : std::uint8_t { header, body };

  State state_ = State::header;
  std::array<std::uint8_t, kFrameLengthBytes> header_{};
  std::size_t header_filled_ = 0;
  std::uint32_t length_ = 0;
  std::uint32_t left_ = 0;
  ByteView part_;
};

}  // namespace cairn::api
