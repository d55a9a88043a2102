// Fuzz target: the frames of a batch body. Any split of the input gives the same frames, which are
// those that a plain reader of the whole finds; what is encoded comes back.
#include "node/api/frames.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/assert.h"
#include "tests/fuzz/input.h"

namespace cairn::fuzz {
namespace {

using api::FrameDecoder;
using Step = FrameDecoder::Step;

struct Frame {
  std::uint32_t length = 0;
  std::string bytes;  ///< Fewer than length when the input ends in the middle.
  bool ended = false;
  friend bool operator==(const Frame&, const Frame&) = default;
};

struct Decoded {
  std::vector<Frame> frames;
  bool at_boundary = true;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

void take(FrameDecoder& decoder, ByteView piece, Decoded& decoded) {
  while (true) {
    const std::size_t before = piece.size();
    const Step step = decoder.next(piece);
    CAIRN_ASSERT(piece.size() <= before);
    switch (step) {
      case Step::need_more: CAIRN_ASSERT(piece.empty()); return;
      case Step::begin:
        CAIRN_ASSERT(decoded.frames.empty() || decoded.frames.back().ended);
        decoded.frames.push_back({decoder.length(), {}, false});
        break;
      case Step::bytes: {
        CAIRN_ASSERT(!decoded.frames.empty() && !decoded.frames.back().ended);
        CAIRN_ASSERT(!decoder.part().empty() && decoder.part().size() == before - piece.size());
        Frame& frame = decoded.frames.back();
        frame.bytes.append(as_text(decoder.part()));
        CAIRN_ASSERT(frame.bytes.size() <= frame.length);
        break;
      }
      case Step::end:
        CAIRN_ASSERT(!decoded.frames.empty() && !decoded.frames.back().ended);
        CAIRN_ASSERT(decoded.frames.back().bytes.size() == decoded.frames.back().length);
        decoded.frames.back().ended = true;
        break;
    }
  }
}

Decoded decode(ByteView wire, std::size_t piece) {
  FrameDecoder decoder;
  Decoded decoded;
  while (!wire.empty()) {
    const std::size_t count = std::min(piece, wire.size());
    take(decoder, wire.first(count), decoded);
    wire = wire.subspan(count);
  }
  decoded.at_boundary = decoder.at_boundary();
  return decoded;
}

/// The frames of a whole body, found by their lengths.
Decoded plain_decode(ByteView wire) {
  Decoded decoded;
  while (wire.size() >= api::kFrameLengthBytes) {
    const std::uint32_t length =
        static_cast<std::uint32_t>(wire[0]) | static_cast<std::uint32_t>(wire[1]) << 8 |
        static_cast<std::uint32_t>(wire[2]) << 16 | static_cast<std::uint32_t>(wire[3]) << 24;
    wire = wire.subspan(api::kFrameLengthBytes);
    const ByteView bytes = wire.first(std::min<std::size_t>(length, wire.size()));
    wire = wire.subspan(bytes.size());
    decoded.frames.push_back({length, std::string(as_text(bytes)), bytes.size() == length});
  }
  decoded.at_boundary = wire.empty() && (decoded.frames.empty() || decoded.frames.back().ended);
  return decoded;
}

/// The same bytes cut into frames, encoded and decoded.
void check_round_trip(Input input) {
  Bytes wire;
  std::vector<std::string> texts;
  while (!input.empty()) {
    const std::string text(as_text(input.bytes(input.byte())));
    const auto length = api::frame_length_bytes(static_cast<std::uint32_t>(text.size()));
    wire.insert(wire.end(), length.begin(), length.end());
    wire.insert(wire.end(), text.begin(), text.end());
    texts.push_back(text);
  }
  const Decoded decoded = decode(wire, 5);
  CAIRN_ASSERT(decoded.at_boundary && decoded.frames.size() == texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CAIRN_ASSERT(decoded.frames[i].ended && decoded.frames[i].bytes == texts[i]);
  }
}

}  // namespace
}  // namespace cairn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cairn::fuzz::Input input(data, size);
  const std::size_t piece = 1 + input.byte() % 32;
  const auto wire = input.rest();
  const auto plain = cairn::fuzz::plain_decode(wire);
  CAIRN_ASSERT(cairn::fuzz::decode(wire, wire.size() + 1) == plain);
  CAIRN_ASSERT(cairn::fuzz::decode(wire, piece) == plain);
  CAIRN_ASSERT(cairn::fuzz::decode(wire, 1) == plain);
  cairn::fuzz::check_round_trip(input);
  return 0;
}
