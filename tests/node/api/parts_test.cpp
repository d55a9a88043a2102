// The pure parts: frames, id lists, heads, routes, the table of errors.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

#include "base/block_id_text.h"
#include "crypto/hash.h"
#include "node/api/block_head.h"
#include "node/api/errors.h"
#include "node/api/frames.h"
#include "node/api/id_list.h"
#include "node/api/routes.h"

namespace cairn::api {
namespace {

/// What the decoder makes of `stream` cut into parts; "!" behind it when something is half read.
std::string decoded(const std::string& stream, const std::vector<std::size_t>& cuts) {
  FrameDecoder decoder;
  std::string out;
  std::size_t at = 0;
  std::size_t cut = 0;
  while (at < stream.size()) {
    std::size_t size = cuts.empty() ? stream.size() : cuts[cut++ % cuts.size()];
    size = std::min(size, stream.size() - at);
    ByteView input = as_bytes(std::string_view(stream).substr(at, size));
    at += size;
    for (auto step = decoder.next(input); step != FrameDecoder::Step::need_more;
         step = decoder.next(input)) {
      if (step == FrameDecoder::Step::begin) out += std::to_string(decoder.length()) + ":";
      if (step == FrameDecoder::Step::bytes) out += as_text(decoder.part());
      if (step == FrameDecoder::Step::end) out += ";";
    }
    EXPECT_TRUE(input.empty());
  }
  return out + (decoder.at_boundary() ? "" : "!");
}

std::string framed(const std::vector<std::string>& bodies) {
  std::string stream;
  for (const std::string& body : bodies) {
    stream += as_text(frame_length_bytes(static_cast<std::uint32_t>(body.size())));
    stream += body;
  }
  return stream;
}

TEST(FrameDecoder, FramesComeApart) {
  EXPECT_EQ(decoded(framed({"abc", "", "d"}), {}), "3:abc;0:;1:d;");
  EXPECT_EQ(decoded("", {}), "");
}

TEST(FrameDecoder, HalfAFrameIsNoBoundary) {
  const std::string stream = framed({"abc"});
  for (std::size_t size = 1; size < stream.size(); ++size) {
    EXPECT_TRUE(decoded(stream.substr(0, size), {}).ends_with('!')) << size;
  }
}

TEST(FrameDecoder, LengthIsLittleEndianAndAnyIsLetThrough) {
  EXPECT_EQ(decoded(std::string("\x04\x03\x02\x01", 4), {}), "16909060:!");
  EXPECT_EQ(decoded("\xff\xff\xff\xff", {}), "4294967295:!");
}

TEST(FrameDecoder, AnyCutGivesTheSame) {
  rc::check("cutting does not matter", [] {
    const auto bodies = *rc::gen::container<std::vector<std::string>>(
        rc::gen::container<std::string>(rc::gen::inRange('a', 'z')));
    const auto cuts = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 9)));
    const std::string stream = framed(bodies);
    RC_ASSERT(decoded(stream, cuts) == decoded(stream, {}));
  });
}

Errc refusal(std::string_view json, std::size_t limit = 10) {
  const auto ids = parse_id_list(json, limit);
  return ids ? Errc::not_found : ids.error().code;
}

std::string list_of(std::string_view element) {
  return "{\"ids\":[" + std::string(element) + "]}";
}

TEST(IdList, BothSpellingsAreReadInOrder) {
  const BlockId a = block_id_of(as_bytes("a"));
  const BlockId b = block_id_of(as_bytes("b"));
  const auto ids = parse_id_list(" { \"ids\" : [\n\"" + cid_text(b) + "\" , \"" + a.text() +
                                     "\",\"" + a.text() + "\"]\t}\r\n ",
                                 3);
  ASSERT_TRUE(ids.has_value());
  EXPECT_EQ(ids.value(), (std::vector<BlockId>{b, a, a}));
}

TEST(IdList, EscapedDigitsAreTheSameDigits) {
  const BlockId a = block_id_of(as_bytes("a"));
  std::string escaped;
  for (const char c : a.text())
    escaped += std::string("\\u00") + to_hex(Bytes{static_cast<std::uint8_t>(c)});
  const auto ids = parse_id_list("{\"\\u0069ds\":[\"" + escaped + "\"]}", 1);
  ASSERT_TRUE(ids.has_value());
  EXPECT_EQ(ids.value().front(), a);
}

// Bad-input row 26.
TEST(IdList, OtherJsonIsMalformed) {
  const std::string id = "\"" + std::string(64, 'a') + "\"";
  std::string deep(10'000, '[');
  std::string deep_objects;
  for (int i = 0; i < 10'000; ++i) deep_objects += "{\"ids\":";
  const std::vector<std::string> bad{
      "",
      " ",
      "{",
      "[]",
      "null",
      "{}",
      "\"ids\"",
      "{\"ids\":" + id + "}",
      "{\"ids\":null}",
      "{\"ids\":{}}",
      "{\"ids\":[]",
      "{\"ids\":[],}",
      "{\"ids\":[]}x",
      "{\"ids\":[]}{\"ids\":[]}",
      "{\"ids\":[],\"ids\":[]}",
      "{\"ids\":[],\"more\":1}",
      "{\"Ids\":[]}",
      "{\"ids\":[[]]}",
      "{'ids':[]}",
      "/**/{\"ids\":[]}",
      "\xef\xbb\xbf{\"ids\":[]}",
      list_of(id + ","),
      list_of("1"),
      list_of("1e400"),
      list_of("true"),
      list_of("null"),
      list_of("{}"),
      list_of("NaN"),
      list_of("\"\""),
      list_of("\"" + std::string(63, 'a') + "\""),
      list_of("\"" + std::string(65, 'a') + "\""),
      list_of("\"" + std::string(64, 'A') + "\""),
      list_of("\"" + std::string(100'000, 'a') + "\""),
      list_of("\"" + std::string(63, 'a') + "\xff\""),
      list_of("\"" + std::string(63, 'a') + "\xc0\x80\""),
      list_of("\"\\ud800\""),
      "{\"\xff\":[]}",
      "{\"" + std::string(100'000, 'i') + "\":[]}",
      deep,
      deep_objects,
  };
  for (const std::string& json : bad)
    EXPECT_EQ(refusal(json), Errc::malformed) << json.substr(0, 80);
}

TEST(IdList, MoreThanTheLimitIsItsOwnRefusal) {
  const std::string id = "\"" + std::string(64, 'a') + "\"";
  EXPECT_EQ(refusal(list_of(id + "," + id), 2), Errc::not_found);
  EXPECT_EQ(refusal(list_of(id + "," + id + "," + id), 2), Errc::overloaded);
}

TEST(IdList, EveryPrefixOfAGoodListIsMalformed) {
  const std::string json = list_of("\"" + std::string(64, 'a') + "\"");
  for (std::size_t size = 0; size < json.size(); ++size) {
    EXPECT_EQ(refusal(json.substr(0, size)), Errc::malformed) << size;
  }
}

TEST(BlockHead, AnyIdRendersAsItsTexts) {
  rc::check("hex and base64 are those of the id", [] {
    BlockId id;
    for (auto& byte : id.bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
    http::FieldList fields;
    fields.add_lines("Before: x\r\n");
    render_block_head(id, Source::peer, fields);
    RC_ASSERT(fields.find("Before") == "x");
    RC_ASSERT(fields.find("ETag") == "\"" + id.text() + "\"");
    RC_ASSERT(fields.find("Repr-Digest") == "sha-256=:" + to_base64(id.bytes) + ":");
    RC_ASSERT(fields.find("Cairn-Source") == "peer");
    RC_ASSERT(BlockTagText(id).text() == "\"" + id.text() + "\"");
  });
}

TEST(BlockHead, SourceIsItsName) {
  for (const Source source : {Source::memory, Source::disk, Source::storage, Source::peer}) {
    http::FieldList fields;
    render_block_head({}, source, fields);
    EXPECT_EQ(fields.find("Cairn-Source"), name_of(source));
  }
}

TEST(Routes, LiteralPathsWinOverIds) {
  EXPECT_EQ(match_route("/v1/blocks/batch").route->endpoint, Endpoint::batch);
  EXPECT_EQ(match_route("/v1/blocks/batchx").route->endpoint, Endpoint::block);
  EXPECT_EQ(match_route("/v1/blocks/batchx").id, "batchx");
  EXPECT_EQ(match_route("/v1/blocks/a/").route, nullptr);
  EXPECT_EQ(match_route("/v1/blocks").route->endpoint, Endpoint::blocks);
}

TEST(Errors, TypesAreUniqueEveryRowHasAHintAndOnlyNotFoundIs404) {
  std::set<std::string_view> types;
  for (std::size_t i = 0; i < kRefusalCount; ++i) {
    const http::Problem problem = problem_of(static_cast<Refusal>(i));
    EXPECT_TRUE(types.insert(problem.type).second) << problem.type;
    EXPECT_GE(problem.status, 400);
    EXPECT_NE(problem.title, "");
    EXPECT_NE(problem.hint, "") << problem.type;
  }
  for (const Errc code : {Errc::corrupt, Errc::unavailable, Errc::wrong_epoch, Errc::conflict,
                          Errc::overloaded, Errc::full, Errc::malformed, Errc::denied}) {
    EXPECT_NE(problem_of(refusal_of(code)).status, 404) << name_of(code);
  }
  EXPECT_EQ(problem_of(refusal_of(Errc::not_found)).status, 404);
}

}  // namespace
}  // namespace cairn::api
