// Fuzz target: the chunked transfer coding. The same bytes in other pieces, or into a smaller
// buffer, decode to the same body and end at the same byte; a plain decoder that sees all at once
// agrees.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "node/http/chunk_decoder.h"
#include "tests/fuzz/input.h"

namespace cairn::fuzz {
namespace {

using http::ChunkDecoder;
using State = ChunkDecoder::State;

constexpr std::size_t kMaxTrailerBytes = 64;
constexpr std::size_t kMaxTrailers = 4;

struct Decoded {
  std::string body;
  std::size_t consumed = 0;
  State state = State::more;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

/// Feeds pieces of `in_piece` bytes into buffers of `out_piece`.
Decoded decode(ByteView wire, std::size_t in_piece, std::size_t out_piece) {
  ChunkDecoder decoder(kMaxTrailerBytes, kMaxTrailers);
  Decoded decoded;
  Bytes out(out_piece);
  while (decoded.consumed < wire.size() && decoded.state == State::more) {
    const ByteView rest = wire.subspan(decoded.consumed);
    const ByteView piece = rest.first(std::min(in_piece, rest.size()));
    const auto progress = decoder.feed(piece, out);
    CAIRN_ASSERT(progress.consumed <= piece.size() && progress.produced <= out.size());
    CAIRN_ASSERT(progress.consumed > 0);
    decoded.body.append(as_text(ByteView(out).first(progress.produced)));
    decoded.consumed += progress.consumed;
    decoded.state = progress.state;
  }
  if (decoded.state != State::more) {
    // The end is the end: nothing more is taken.
    const auto after = decoder.feed(as_bytes("0\r\n\r\n"), out);
    CAIRN_ASSERT(after.consumed == 0 && after.produced == 0 && after.state == decoded.state);
  }
  return decoded;
}

/// The next line without its CR LF; nothing when there is no such line.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

std::optional<std::uint64_t> size_of(std::string_view line) {
  const std::string_view digits = line.substr(0, line.find(';'));
  if (digits.empty() || digits.size() > 16) return std::nullopt;
  if (digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
    return std::nullopt;
  }
  return std::stoull(std::string(digits), nullptr, 16);
}

/// RFC 9112 section 7.1 read word by word, for a coding that is complete: its body and length.
std::optional<Decoded> plain_decode(std::string_view wire) {
  Decoded decoded;
  std::string_view rest = wire;
  while (true) {
    const auto line = take_line(rest);
    const auto size = line ? size_of(*line) : std::nullopt;
    if (!size) return std::nullopt;
    if (*size == 0) break;
    if (*size > rest.size() || rest.substr(*size, 2) != "\r\n") return std::nullopt;
    decoded.body.append(rest.substr(0, *size));
    rest.remove_prefix(*size + 2);
  }
  while (true) {
    const auto trailer = take_line(rest);
    if (!trailer) return std::nullopt;
    if (trailer->empty()) break;
  }
  decoded.consumed = wire.size() - rest.size();
  decoded.state = State::done;
  return decoded;
}

void check(ByteView wire, std::size_t in_piece, std::size_t out_piece) {
  const Decoded whole = decode(wire, wire.size() + 1, wire.size() + 1);
  CAIRN_ASSERT(whole.body.size() <= wire.size());
  CAIRN_ASSERT(decode(wire, in_piece, out_piece) == whole);
  CAIRN_ASSERT(decode(wire, 1, 1) == whole);
  if (whole.state == State::done) {
    const auto plain = plain_decode(as_text(wire));
    CAIRN_ASSERT(plain && *plain == whole);
  }
}

/// Any body in any chunks comes back.
void check_round_trip(Input& input) {
  const std::size_t chunk = 1 + input.byte();
  const std::string body(input.rest_text());
  std::string wire;
  for (std::size_t at = 0; at < body.size(); at += chunk) {
    const std::string part = body.substr(at, chunk);
    const auto size = static_cast<std::uint8_t>(part.size() & 0xFFU);
    const std::uint8_t digits[] = {static_cast<std::uint8_t>(part.size() >> 8), size};
    wire += to_hex(digits) + ";x=y\r\n" + part + "\r\n";
    if (wire.size() > ChunkDecoder::kMaxExtensionBytes) return;
  }
  wire += "000\r\nTrailer: x\r\n\r\n";
  const Decoded decoded = decode(as_bytes(wire + "GET"), 7, 5);
  CAIRN_ASSERT(decoded.state == State::done && decoded.body == body);
  CAIRN_ASSERT(decoded.consumed == wire.size());
}

}  // namespace
}  // namespace cairn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cairn::fuzz::Input input(data, size);
  const std::size_t in_piece = 1 + input.byte() % 32;
  const std::size_t out_piece = 1 + input.byte() % 32;
  cairn::fuzz::check(input.rest(), in_piece, out_piece);
  cairn::fuzz::check_round_trip(input);
  return 0;
}
