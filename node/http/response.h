// Response: what a handler fills in and a transport sends. It belongs to the connection's core and
// is reused: clear() keeps capacities.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/block.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/task.h"
#include "node/http/fields.h"

namespace cairn::http {

/// A stretch of body bytes that something keeps alive. Never copied on the way to the socket.
class Piece {
 public:
  static Piece text(std::string text) { return Piece(std::move(text)); }
  /// `view` lies within the block's bytes.
  static Piece of_block(Block block, ByteView view) {
    const std::size_t kept_bytes = block.size_bytes();
    return Piece(std::move(block), view, kept_bytes);
  }
  /// `owner` keeps what `view` borrows alive, and takes `kept_bytes` of memory in all.
  static Piece shared(std::shared_ptr<const void> owner, ByteView view, std::size_t kept_bytes) {
    return Piece(std::move(owner), view, kept_bytes);
  }
  /// `view` outlives the piece.
  static Piece borrowed(ByteView view) { return Piece(Owner(), view, 0); }

  ByteView bytes() const {
    const auto* own = std::get_if<std::string>(&owner_);
    return own != nullptr ? as_bytes(*own) : view_;
  }

  /// What keeps the bytes alive and may do so for other pieces too; null for a text and for what
  /// is borrowed.
  const void* owner() const;
  /// Memory that is not freed before this piece, however small a part of it bytes() is.
  std::size_t kept_bytes() const { return kept_bytes_; }

  /// The `length` bytes from `first` on, both within bytes(). kSliceCopyBytes at most are copied,
  /// and so is a text; a larger part is kept alive by the same owner.
  Piece slice(std::size_t first, std::size_t length) const;

  /// A part up to this size is not worth what its owner takes.
  static constexpr std::size_t kSliceCopyBytes = 16 * 1024;

 private:
  using Owner = std::variant<std::monostate, std::string, Block, std::shared_ptr<const void>>;
  explicit Piece(std::string text) : owner_(std::move(text)) {
    kept_bytes_ = std::get<std::string>(owner_).size();
  }
  Piece(Owner owner, ByteView view, std::size_t kept_bytes)
      : owner_(std::move(owner)), view_(view), kept_bytes_(kept_bytes) {}

  Owner owner_;
  ByteView view_;
  std::size_t kept_bytes_ = 0;
};

/// A body that is made while it is sent. The transport asks for the next bytes only when the last
/// ones are on their way: that is the back-pressure.
class BodySource {
 public:
  virtual ~BodySource() = default;

  /// Total length in bytes where it is known; else the body is sent chunked.
  virtual std::optional<std::uint64_t> length() const = 0;

  /// The next bytes, valid until the next call or destruction; empty at the end. An error, or an
  /// end before length(), aborts the connection: a client never takes a part for the whole.
  virtual Task<Result<ByteView>> next() = 0;

  /// Memory in bytes that it keeps and that no budget of its own accounts for.
  virtual std::size_t kept_bytes() const { return 0; }
};

struct Response {
  std::uint16_t status = 200;
  /// Without Date, Content-Length, Transfer-Encoding and Connection: the transport adds these.
  FieldList fields;
  /// The body, in order.
  std::vector<Piece> pieces;
  /// When set, the body is what it yields and `pieces` must be empty.
  std::unique_ptr<BodySource> source;
  /// The connection is closed after this answer.
  bool close = false;
  /// For a HEAD answer whose body was never made: the Content-Length that a GET would have.
  std::optional<std::uint64_t> head_length;
  /// Stable word for the access log saying who answered (memory, storage, static, proxy, ...).
  std::string_view answered_by;

  /// Back to an empty 200.
  void clear();
  /// Sum of the pieces' sizes.
  std::uint64_t pieces_bytes() const;
  /// Replaces everything by `status` with a text body of that type.
  void set_text(std::uint16_t new_status, std::string_view content_type, std::string text);
};

/// The standard reason phrase; "" for a status without one.
std::string_view reason_phrase(std::uint16_t status);

}  // namespace cairn::http
