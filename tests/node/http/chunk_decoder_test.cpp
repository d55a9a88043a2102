#include "node/http/chunk_decoder.h"

#include <gtest/gtest.h>

#include <string>

namespace cairn::http {
namespace {

using State = ChunkDecoder::State;

struct Decoded {
  State state = State::more;
  std::string body;
  std::size_t consumed = 0;
};

/// Feeds `wire` in steps of `split` bytes into outputs of `room` bytes.
Decoded decode(std::string_view wire, std::size_t split, std::size_t room) {
  ChunkDecoder decoder(1024, 10);
  Decoded result;
  while (result.consumed < wire.size() && result.state == State::more) {
    Bytes out(room);
    const auto part = wire.substr(result.consumed, split);
    const auto progress = decoder.feed(as_bytes(part), out);
    result.body.append(as_text(ByteView(out).first(progress.produced)));
    result.consumed += progress.consumed;
    result.state = progress.state;
    if (progress.consumed == 0 && progress.produced == 0) break;
  }
  return result;
}

class ChunkDecoderTest : public ::testing::TestWithParam<std::pair<std::size_t, std::size_t>> {};

TEST_P(ChunkDecoderTest, WellFormedBodyIsDecodedInAnySplit) {
  const auto [split, room] = GetParam();
  const std::string wire =
      "5\r\nhello\r\n1;name=\"v\"\r\n \r\n0A\r\n0123456789\r\n000\r\nX: y\r\nZ:\r\n\r\n";
  const Decoded result = decode(wire + "GET / ", split, room);
  EXPECT_EQ(result.state, State::done);
  EXPECT_EQ(result.body, "hello 0123456789");
  EXPECT_EQ(result.consumed, wire.size());
}

TEST_P(ChunkDecoderTest, MalformedBodyIsRefusedInAnySplit) {
  const auto [split, room] = GetParam();
  for (const std::string_view wire : {"0x5\r\nhello\r\n0\r\n\r\n",
                                      "+5\r\nhello",
                                      "-1\r\n",
                                      "\r\n",
                                      " 5\r\nhello",
                                      "5 \r\nhello",
                                      "5\nhello\r\n",
                                      "5\r\nhello0\r\n\r\n",
                                      "5\r\nhelloXX",
                                      "5\r\nhello\rX",
                                      "5\r\nhello\n",
                                      "00000000000000005\r\nhello",
                                      "5;a\nb\r\nhello",
                                      "5;\x01\r\nhello",
                                      "g\r\n",
                                      "0\r\n\n",
                                      "0\r\n\rX",
                                      "0\r\n folded\r\n\r\n",
                                      "0\r\nA: b\n\r\n",
                                      "0\r\nA: \x02\r\n\r\n",
                                      "0\r\nno field\r\n\r\n",
                                      "0\r\nA\r\n\r\n",
                                      "0\r\nA : b\r\n\r\n",
                                      "0\r\n: b\r\n\r\n",
                                      "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
                                      ";a\r\n"}) {
    EXPECT_EQ(decode(wire, split, room).state, State::malformed) << wire;
  }
}

INSTANTIATE_TEST_SUITE_P(Splits, ChunkDecoderTest,
                         ::testing::Values(std::pair{1, 1}, std::pair{3, 2}, std::pair{7, 100},
                                           std::pair{1000, 4}, std::pair{1000, 1000}));

TEST(ChunkDecoder, ExtensionsOverTheBoundAreRefused) {
  std::string wire = "5;" + std::string(ChunkDecoder::kMaxExtensionBytes, 'x') + "\r\n";
  EXPECT_EQ(decode(wire, 100, 100).state, State::more);
  wire.insert(2, "y");
  EXPECT_EQ(decode(wire, 100, 100).state, State::malformed);
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "1;x\r\na\r\n";
  EXPECT_EQ(decode(many, 100, 100).state, State::malformed);
}

TEST(ChunkDecoder, TrailersOverTheBoundsAreTooLarge) {
  std::string many = "0\r\n";
  for (int i = 0; i < 11; ++i) many += "A: b\r\n";
  EXPECT_EQ(decode(many, 100, 100).state, State::trailers_too_large);
  EXPECT_EQ(decode("0\r\nA: " + std::string(2000, 'b'), 100, 100).state, State::trailers_too_large);
}

TEST(ChunkDecoder, SixteenDigitsAreReadWhole) {
  ChunkDecoder decoder(100, 10);
  Bytes out(10);
  const auto progress = decoder.feed(as_bytes("ffffffffffffffff\r\nabc"), out);
  EXPECT_EQ(progress.state, State::more);
  EXPECT_EQ(progress.produced, 3U);
}

}  // namespace
}  // namespace cairn::http
