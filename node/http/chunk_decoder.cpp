#include "node/http/chunk_decoder.h"

#include <algorithm>
#include <cstring>

#include "node/http/fields.h"

namespace cairn::http {
namespace {

int hex_value(std::uint8_t byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

bool is_text(std::uint8_t byte) {
  return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
}

}  // namespace

ChunkDecoder::Progress ChunkDecoder::feed(ByteView in, MutableByteView out) {
  Progress progress;
  while (progress.consumed < in.size()) {
    if (step_ == Step::done || step_ == Step::malformed || step_ == Step::trailers_too_large) break;
    if (step_ != Step::data) {
      step_ = step(in[progress.consumed++]);
      continue;
    }
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(
        {left_, in.size() - progress.consumed, out.size() - progress.produced}));
    if (count == 0) break;
    std::memcpy(out.data() + progress.produced, in.data() + progress.consumed, count);
    progress.consumed += count;
    progress.produced += count;
    left_ -= count;
    if (left_ == 0) step_ = Step::data_cr;
  }
  if (step_ == Step::done) progress.state = State::done;
  if (step_ == Step::malformed) progress.state = State::malformed;
  if (step_ == Step::trailers_too_large) progress.state = State::trailers_too_large;
  return progress;
}

ChunkDecoder::Step ChunkDecoder::step(std::uint8_t byte) {
  switch (step_) {
    case Step::size: return step_size(byte);
    case Step::extension: return step_extension(byte);
    case Step::size_lf:
      if (byte != '\n') return Step::malformed;
      digits_ = 0;
      return left_ == 0 ? Step::trailer_start : Step::data;
    case Step::data_cr: return byte == '\r' ? Step::data_lf : Step::malformed;
    case Step::data_lf: return byte == '\n' ? Step::size : Step::malformed;
    case Step::trailer_start:
    case Step::trailer_name:
    case Step::trailer_line:
    case Step::trailer_lf: return step_trailer(byte);
    case Step::end_lf: return byte == '\n' ? Step::done : Step::malformed;
    default: return Step::malformed;
  }
}

ChunkDecoder::Step ChunkDecoder::step_size(std::uint8_t byte) {
  const int value = hex_value(byte);
  if (value >= 0) {
    if (++digits_ > 16) return Step::malformed;
    left_ = (digits_ == 1 ? 0 : left_ << 4) | static_cast<std::uint64_t>(value);
    return Step::size;
  }
  if (digits_ == 0) return Step::malformed;
  if (byte == ';') return Step::extension;
  return byte == '\r' ? Step::size_lf : Step::malformed;
}

ChunkDecoder::Step ChunkDecoder::step_extension(std::uint8_t byte) {
  if (byte == '\r') return Step::size_lf;
  if (!is_text(byte) || ++extension_bytes_ > kMaxExtensionBytes) return Step::malformed;
  return Step::extension;
}

ChunkDecoder::Step ChunkDecoder::step_trailer(std::uint8_t byte) {
  if (step_ == Step::trailer_lf) return byte == '\n' ? Step::trailer_start : Step::malformed;
  if (step_ == Step::trailer_start && byte == '\r') return Step::end_lf;
  if (step_ == Step::trailer_line) {
    if (byte == '\r') return Step::trailer_lf;
    if (!is_text(byte)) return Step::malformed;
  } else if (!is_token_byte(static_cast<char>(byte))) {
    // What is no field (a folded line, a request behind a forgotten CR LF) is not passed over: the
    // end of this body would be another one for whoever stands before us.
    if (step_ == Step::trailer_start || byte != ':') return Step::malformed;
  }
  if (++trailer_bytes_ > max_trailer_bytes_) return Step::trailers_too_large;
  if (step_ == Step::trailer_start && ++trailers_ > max_trailers_) return Step::trailers_too_large;
  return step_ == Step::trailer_line || byte == ':' ? Step::trailer_line : Step::trailer_name;
}

}  // namespace cairn::http
