// Strict decoder of the chunked transfer coding (RFC 9112 section 7.1). Pure; belongs to one body.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace cairn::http {

/// Sizes are 1 to 16 hexadecimal digits and nothing else before ';' or CR LF; every line ends in CR
/// LF; extensions are bounded and ignored; trailers are bounded and discarded.
class ChunkDecoder {
 public:
  enum class State : std::uint8_t {
    more,               ///< Wants more input.
    done,               ///< The whole body has been decoded.
    malformed,          ///< 400: never feed it again.
    trailers_too_large  ///< 431: never feed it again.
  };

  struct Progress {
    std::size_t consumed = 0;  ///< Bytes taken from the input.
    std::size_t produced = 0;  ///< Bytes written to the output.
    State state = State::more;
  };

  /// Bytes of extensions in one body, and of trailers.
  static constexpr std::size_t kMaxExtensionBytes = 4096;

  ChunkDecoder(std::size_t max_trailer_bytes, std::size_t max_trailers)
      : max_trailer_bytes_(max_trailer_bytes), max_trailers_(max_trailers) {}

  /// Decodes until the input is used up, the output is full or the body ends. Input behind the
  /// body's end is not consumed. May be fed in any split.
  Progress feed(ByteView in, MutableByteView out);

 private:
  enum class Step : std::uint8_t {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_line,
    trailer_lf,
    end_lf,
    done,
    malformed,
    trailers_too_large
  };

  Step step(std::uint8_t byte);
  Step step_size(std::uint8_t byte);
  Step step_extension(std::uint8_t byte);
  Step step_trailer(std::uint8_t byte);

  const std::size_t max_trailer_bytes_;
  const std::size_t max_trailers_;
  Step step_ = Step::size;
  unsigned digits_ = 0;
  std::uint64_t left_ = 0;  ///< Of the chunk's size line while reading it, then of its data.
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t trailers_ = 0;
};

}  // namespace cairn::http
