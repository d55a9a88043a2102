// RequestBody: the body of the request that a connection is answering, straight from its socket.
#pragma once

#include <cstdint>
#include <optional>

#include "node/http/body_reader.h"
#include "node/http/chunk_decoder.h"
#include "node/http/request_gate.h"

namespace cairn::http {

class Connection;

class RequestBody final : public BodyReader {
 public:
  explicit RequestBody(Connection& connection);

  std::optional<std::uint64_t> length() const override;
  Task<Result<std::size_t>> read(MutableByteView into) override;

  /// The whole body has been read.
  bool finished() const { return finished_; }
  /// The client still waits for "100 Continue" and may not send the body.
  bool withheld() const { return awaiting_continue_; }
  /// Bytes still to come, where that is known.
  std::optional<std::uint64_t> remaining() const;
  /// Set when the transport must answer by itself: 400, 431 or 408.
  Refusal refusal() const { return refusal_; }

 private:
  Task<Result<void>> send_continue();
  Task<Result<std::size_t>> read_length(MutableByteView into);
  Task<Result<std::size_t>> read_chunked(MutableByteView into);
  void arm();
  Error receive_failed();

  Connection& connection_;
  ChunkDecoder decoder_;
  std::uint64_t left_ = 0;
  std::uint64_t received_ = 0;
  MonoTime started_;
  bool chunked_ = false;
  bool finished_ = false;
  bool awaiting_continue_ = false;
  Refusal refusal_;
};

}  // namespace cairn::http
