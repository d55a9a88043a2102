// CAR v1 (https://ipld.io/specs/transport/car/carv1/) as Cairn writes it: one root, every section a
// block with a CIDv1 of the raw codec and sha2-256, so that a CID and a BlockId are the same thing.
// CarReader takes a file in pieces that are cut anywhere, checks each block against its id and
// keeps no bytes. Pure; belongs to whoever feeds it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace cairn::cli {

/// 0x01 (CIDv1), 0x55 (raw), 0x12 (sha2-256), 0x20 (32 bytes), digest.
inline constexpr std::size_t kCidBytes = 4 + BlockId::kSize;
/// Longer than any header with one root.
inline constexpr std::size_t kMaxCarHeaderBytes = 256;

/// What a file begins with: the length and the DAG-CBOR {"roots": [root], "version": 1}.
Bytes car_header(const BlockId& root);
/// What stands before the `size_bytes` of a block.
Bytes car_section_head(const BlockId& id, std::uint64_t size_bytes);

class CarReader {
 public:
  enum class Step : std::uint8_t {
    need_more,  ///< The input is used up.
    header,     ///< root() is known; comes once, first.
    begin,      ///< A block begins: id(), size_bytes(), offset().
    part,       ///< part() has its next bytes, at least one; valid as long as the input.
    end,        ///< The block is complete and its bytes are those that id() names.
  };

  /// Takes as much from the front of `input` as one step needs. Errors, after which nothing more
  /// may be fed: malformed, with the place in the file and what is wrong there; corrupt for a block
  /// that does not match its CID.
  Result<Step> next(ByteView& input);
  /// At the end of the file. Errors: malformed where it ends inside the header or a section.
  Result<void> finish() const;

  const BlockId& root() const { return root_; }
  const BlockId& id() const { return id_; }
  std::uint64_t size_bytes() const { return size_; }
  /// Of the block's first byte, from the beginning of the file.
  std::uint64_t offset() const { return offset_; }
  ByteView part() const { return part_; }

 private:
  enum class State : std::uint8_t { header_length, header, section_length, cid, body };

  Error at(std::string_view words) const;
  /// One byte of a varint. True when it is complete, in varint_.
  Result<bool> take_varint(std::uint8_t byte);
  Result<void> take_header();
  Result<void> take_cid();
  ByteView take(ByteView& input, std::uint64_t most);

  State state_ = State::header_length;
  std::uint64_t position_ = 0;  ///< In the file.
  std::uint64_t varint_ = 0;
  unsigned varint_bytes_ = 0;
  std::array<std::uint8_t, kMaxCarHeaderBytes> gathered_{};  ///< The header, or a CID.
  std::size_t gathered_bytes_ = 0;
  std::size_t wanted_bytes_ = 0;
  BlockId root_{};
  BlockId id_{};
  std::uint64_t size_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t offset_ = 0;
  ByteView part_;
  Sha256 hash_;
};

}  // namespace cairn::cli
