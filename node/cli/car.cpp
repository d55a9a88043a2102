#include "node/cli/car.h"

#include <algorithm>
#include <string_view>

#include "base/limits.h"

namespace cairn::cli {
namespace {

constexpr std::array<std::uint8_t, 4> kCidStart{0x01, 0x55, 0x12, 0x20};
/// Nine groups of seven bits are what the multiformats' unsigned varint allows.
constexpr unsigned kMostVarintBytes = 9;

/// DAG-CBOR: a map of two; "roots": a list of one; tag 42, 37 bytes of which the first is 0.
constexpr std::array<std::uint8_t, 13> kBeforeRoot{0xa2, 0x65, 'r',  'o',  'o',  't', 's',
                                                   0x81, 0xd8, 0x2a, 0x58, 0x25, 0x00};
/// "version": 1.
constexpr std::array<std::uint8_t, 9> kAfterRoot{0x67, 'v', 'e', 'r', 's', 'i', 'o', 'n', 0x01};
constexpr std::size_t kHeaderBytes = kBeforeRoot.size() + kCidBytes + kAfterRoot.size();
/// What a file of version 2 begins with behind the length: {"version": 2}.
constexpr std::array<std::uint8_t, 10> kSecondVersion{0xa1, 0x67, 'v', 'e', 'r',
                                                      's',  'i',  'o', 'n', 0x02};

template <class Range>
void append(Bytes& out, const Range& bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_varint(std::uint64_t value, Bytes& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

void append_cid(const BlockId& id, Bytes& out) {
  append(out, kCidStart);
  append(out, id.bytes);
}

template <std::size_t N>
bool begins_with(ByteView bytes, const std::array<std::uint8_t, N>& start) {
  return bytes.size() >= N && std::equal(start.begin(), start.end(), bytes.begin());
}

}  // namespace

Bytes car_header(const BlockId& root) {
  Bytes out;
  append_varint(kHeaderBytes, out);
  append(out, kBeforeRoot);
  append_cid(root, out);
  append(out, kAfterRoot);
  return out;
}

Bytes car_section_head(const BlockId& id, std::uint64_t size_bytes) {
  Bytes out;
  append_varint(kCidBytes + size_bytes, out);
  append_cid(id, out);
  return out;
}

Error CarReader::at(std::string_view words) const {
  return fail(Errc::malformed, "byte " + std::to_string(position_) + ": " + std::string(words));
}

Result<bool> CarReader::take_varint(std::uint8_t byte) {
  if (varint_bytes_ == 0) varint_ = 0;
  if (varint_bytes_ == kMostVarintBytes) return at("the length is no varint of 63 bits");
  varint_ |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * varint_bytes_);
  ++varint_bytes_;
  if ((byte & 0x80) != 0) return false;
  if (byte == 0 && varint_bytes_ > 1) return at("the length is not written in its shortest form");
  varint_bytes_ = 0;
  return true;
}

ByteView CarReader::take(ByteView& input, std::uint64_t most) {
  const ByteView taken =
      input.first(static_cast<std::size_t>(std::min<std::uint64_t>(most, input.size())));
  input = input.subspan(taken.size());
  position_ += taken.size();
  return taken;
}

Result<void> CarReader::take_header() {
  const ByteView header = ByteView(gathered_).first(gathered_bytes_);
  if (begins_with(header, kSecondVersion)) return at("CAR version 2 is not read; make version 1");
  if (header.size() != kHeaderBytes || !begins_with(header, kBeforeRoot) ||
      !begins_with(header.subspan(kHeaderBytes - kAfterRoot.size()), kAfterRoot)) {
    return at("not the header of a CAR of version 1 with one root");
  }
  const ByteView cid = header.subspan(kBeforeRoot.size(), kCidBytes);
  if (!begins_with(cid, kCidStart)) return at("the root is no CIDv1 of a raw block and sha2-256");
  root_ = *BlockId::from_bytes(cid.last(BlockId::kSize));
  return ok();
}

Result<void> CarReader::take_cid() {
  const ByteView cid = ByteView(gathered_).first(kCidBytes);
  if (!begins_with(cid, kCidStart)) {
    return at("a block has no CIDv1 of the raw codec and sha2-256; other blocks are not Cairn's");
  }
  id_ = *BlockId::from_bytes(cid.last(BlockId::kSize));
  offset_ = position_;
  size_ = varint_ - kCidBytes;
  left_ = size_;
  hash_.reset();
  return ok();
}

Result<CarReader::Step> CarReader::next(ByteView& input) {
  for (;;) {
    if (state_ == State::body && left_ == 0) {
      state_ = State::section_length;
      if (hash_.finish_block_id() != id_) {
        return fail(Errc::corrupt, "byte " + std::to_string(offset_) + ": the block " + id_.text() +
                                       " has other bytes than its CID names");
      }
      return Step::end;
    }
    if (input.empty()) return Step::need_more;
    switch (state_) {
      case State::header_length:
      case State::section_length: {
        CAIRN_TRY(const bool complete, take_varint(take(input, 1).front()));
        if (!complete) break;
        const bool header = state_ == State::header_length;
        if (header && (varint_ == 0 || varint_ > kMaxCarHeaderBytes)) {
          return at("not a CAR with one root: its header would have " + std::to_string(varint_) +
                    " bytes");
        }
        if (!header && varint_ <= kCidBytes) return at("a section without a block");
        if (!header && varint_ - kCidBytes > kMaxBlockBytes) {
          return at("a block over 16 MiB: " + std::to_string(varint_ - kCidBytes) + " bytes");
        }
        gathered_bytes_ = 0;
        wanted_bytes_ = header ? static_cast<std::size_t>(varint_) : kCidBytes;
        state_ = header ? State::header : State::cid;
        break;
      }
      case State::header:
      case State::cid: {
        const ByteView taken = take(input, wanted_bytes_ - gathered_bytes_);
        std::copy(taken.begin(), taken.end(),
                  gathered_.begin() + static_cast<std::ptrdiff_t>(gathered_bytes_));
        gathered_bytes_ += taken.size();
        if (gathered_bytes_ < wanted_bytes_) break;
        if (state_ == State::header) {
          CAIRN_TRY(take_header());
          state_ = State::section_length;
          return Step::header;
        }
        CAIRN_TRY(take_cid());
        state_ = State::body;
        return Step::begin;
      }
      case State::body:
        part_ = take(input, left_);
        left_ -= part_.size();
        hash_.update(part_);
        return Step::part;
    }
  }
}

Result<void> CarReader::finish() const {
  if (state_ == State::section_length && varint_bytes_ == 0) return ok();
  if (position_ == 0) return at("the file is empty");
  const bool in_header = state_ == State::header_length || state_ == State::header;
  return at(in_header ? "not a CAR with one root, or cut in its header" : "the file is cut here");
}

}  // namespace cairn::cli
