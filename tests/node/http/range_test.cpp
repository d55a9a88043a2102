// Range requests (RFC 9110 section 14; bad-input row 16).
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "node/http/conditional.h"
#include "tests/node/http/requests.h"

namespace cairn::http {
namespace {

using Kind = RangeVerdict::Kind;

/// "first+length first+length ..." or "whole" or "unsatisfiable".
std::string shown(const RangeVerdict& verdict) {
  if (verdict.kind == Kind::whole) return "whole";
  if (verdict.kind == Kind::unsatisfiable) return "unsatisfiable";
  std::string text;
  for (const ByteRange& range : verdict.ranges) {
    if (!text.empty()) text += ' ';
    text += std::to_string(range.first) + "+" + std::to_string(range.length);
  }
  return text;
}

TEST(ParseRange, ExamplesOfRfc9110) {
  EXPECT_EQ(shown(parse_range("bytes=0-499", 10000)), "0+500");
  EXPECT_EQ(shown(parse_range("bytes=500-999", 10000)), "500+500");
  EXPECT_EQ(shown(parse_range("bytes=-500", 10000)), "9500+500");
  EXPECT_EQ(shown(parse_range("bytes=9500-", 10000)), "9500+500");
  EXPECT_EQ(shown(parse_range("bytes=0-0,-1", 10000)), "0+1 9999+1");
  EXPECT_EQ(shown(parse_range("bytes= 0-0 , 4500-5499 ,, -1000", 10000)),
            "0+1 4500+1000 9000+1000");
}

TEST(ParseRange, EndIsCutToTheSize) {
  EXPECT_EQ(shown(parse_range("bytes=5-100", 10)), "5+5");
  EXPECT_EQ(shown(parse_range("bytes=-100", 10)), "0+10");
  EXPECT_EQ(shown(parse_range("bytes=0-18446744073709551615", 10)), "0+10");
}

TEST(ParseRange, BeyondTheSizeIsUnsatisfiable) {
  EXPECT_EQ(shown(parse_range("bytes=10-", 10)), "unsatisfiable");
  EXPECT_EQ(shown(parse_range("bytes=10-11,20-", 10)), "unsatisfiable");
  EXPECT_EQ(shown(parse_range("bytes=-0", 10)), "unsatisfiable");
  EXPECT_EQ(shown(parse_range("bytes=0-", 0)), "unsatisfiable");
  EXPECT_EQ(shown(parse_range("bytes=-5", 0)), "unsatisfiable");
  EXPECT_EQ(shown(parse_range("bytes=10-11,3-4", 10)), "3+2");
}

TEST(ParseRange, InvalidMeansWhole) {
  for (const std::string_view value : {"",
                                       "bytes",
                                       "bytes=",
                                       "bytes=,",
                                       "bytes=-",
                                       "bytes=9-1",
                                       "bytes=a-b",
                                       "bytes=1",
                                       "bytes=1-2-3",
                                       "bytes=+1-2",
                                       "bytes=0x1-2",
                                       "bytes=1 -2",
                                       "bytes=--1",
                                       "lines=0-1",
                                       "bytes 0-1",
                                       "bytes=18446744073709551616-",
                                       "bytes=0-18446744073709551616",
                                       "bytes=-18446744073709551616",
                                       "bytes=0-1;2-3",
                                       "bytes=0-1,x"}) {
    EXPECT_EQ(shown(parse_range(value, 10000)), "whole") << value;
  }
}

TEST(ParseRange, OverlapMeansWhole) {
  EXPECT_EQ(shown(parse_range("bytes=0-5,5-9", 100)), "whole");
  EXPECT_EQ(shown(parse_range("bytes=50-,0-60", 100)), "whole");
  EXPECT_EQ(shown(parse_range("bytes=0-4,5-9", 100)), "0+5 5+5");
  EXPECT_EQ(shown(parse_range("bytes=5-9,0-4", 100)), "5+5 0+5");
}

TEST(ParseRange, MoreThanSixteenMeansWhole) {
  std::string value = "bytes=";
  for (std::size_t i = 0; i < kMaxRanges; ++i)
    value += std::to_string(i * 2) + "-" + std::to_string(i * 2) + ",";
  EXPECT_EQ(parse_range(value, 1000).ranges.size(), kMaxRanges);
  EXPECT_EQ(shown(parse_range(value + "900-901", 1000)), "whole");
  EXPECT_EQ(shown(parse_range(value + "9000-9001", 1000)), "whole");
}

TEST(ParseRange, AnyTextStaysWithinTheSize) {
  rc::check("ranges lie inside, do not overlap, and are at most kMaxRanges", [] {
    const auto size = *rc::gen::inRange<std::uint64_t>(0, 50);
    const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "0", "1", "7", "49", "50", "-", "-", ",", " ", "18446744073709551615"));
    std::string value = "bytes=";
    for (const std::string& piece : pieces) value += piece;
    const RangeVerdict verdict = parse_range(value, size);
    RC_ASSERT(verdict.ranges.size() <= kMaxRanges);
    RC_ASSERT((verdict.kind == Kind::partial) == !verdict.ranges.empty());
    std::vector<bool> taken(size);
    for (const ByteRange& range : verdict.ranges) {
      RC_ASSERT(range.length >= 1U);
      RC_ASSERT(range.first + range.length <= size);
      for (std::uint64_t i = range.first; i < range.first + range.length; ++i) {
        RC_ASSERT(!taken[i]);
        taken[i] = true;
      }
    }
  });
}

class ApplyRange : public ::testing::Test {
 protected:
  /// What a handler made before it looks at Range: "0123456789" with its fields.
  Response& apply(const Request& request, std::string_view etag = "\"tag1\"") {
    response_.set_text(200, "text/plain", "0123456789");
    response_.fields.add("ETag", etag);
    response_.fields.add("Vary", "Origin");
    response_.fields.add("Cache-Control", "public");
    response_.answered_by = "memory";
    apply_range(request, {.etag = etag}, response_);
    return response_;
  }
  std::string body() const {
    std::string text;
    for (const Piece& piece : response_.pieces) text += as_text(piece.bytes());
    return text;
  }

  Response response_;
};

TEST_F(ApplyRange, NoRangeFieldLeavesTheWhole) {
  EXPECT_EQ(apply(TestRequest(Method::get, "/")).status, 200);
  EXPECT_EQ(body(), "0123456789");
}

TEST_F(ApplyRange, OneRangeGives206) {
  EXPECT_EQ(apply(TestRequest(Method::get, "/", {{"Range", "bytes=2-4"}})).status, 206);
  EXPECT_EQ(body(), "234");
  EXPECT_EQ(response_.fields.find("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(response_.fields.find("Content-Type"), "text/plain");
  EXPECT_EQ(response_.fields.find("ETag"), "\"tag1\"");
}

TEST_F(ApplyRange, SeveralRangesGiveMultipart) {
  EXPECT_EQ(apply(TestRequest(Method::get, "/", {{"Range", "bytes=7-,0-1"}})).status, 206);
  EXPECT_EQ(response_.fields.find("Content-Type"), "multipart/byteranges; boundary=cairntag1");
  EXPECT_EQ(response_.fields.find("Content-Range"), "");
  EXPECT_EQ(body(),
            "\r\n--cairntag1\r\nContent-Type: text/plain\r\nContent-Range: bytes 7-9/10\r\n\r\n789"
            "\r\n--cairntag1\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
            "\r\n--cairntag1--\r\n");
}

TEST_F(ApplyRange, BoundaryIsAtMostSeventyCharacters) {
  const std::string etag = "\"" + std::string(200, 'e') + "\"";
  apply(TestRequest(Method::get, "/", {{"Range", "bytes=7-,0-1"}}), etag);
  EXPECT_EQ(response_.fields.find("Content-Type"),
            "multipart/byteranges; boundary=cairn" + std::string(65, 'e'));
}

TEST_F(ApplyRange, OutsideTheContentGives416) {
  EXPECT_EQ(apply(TestRequest(Method::get, "/", {{"Range", "bytes=10-"}})).status, 416);
  EXPECT_EQ(response_.fields.find("Content-Range"), "bytes */10");
  EXPECT_EQ(response_.fields.find("Content-Type"), "application/problem+json");
  EXPECT_EQ(response_.fields.find("Cache-Control"), "no-store");
  EXPECT_EQ(response_.fields.find("Vary"), "Origin");
  EXPECT_EQ(response_.answered_by, "memory");
}

TEST_F(ApplyRange, HeadIgnoresRange) {
  EXPECT_EQ(apply(TestRequest(Method::head, "/", {{"Range", "bytes=2-4"}})).status, 200);
}

TEST_F(ApplyRange, OtherStatusIsLeftAlone) {
  response_.set_text(404, "text/plain", "0123456789");
  apply_range(TestRequest(Method::get, "/", {{"Range", "bytes=2-4"}}), {.etag = "\"x\""},
              response_);
  EXPECT_EQ(response_.status, 404);
  EXPECT_EQ(body(), "0123456789");
}

TEST_F(ApplyRange, FreshIfRangeKeepsTheRange) {
  EXPECT_EQ(apply(TestRequest(Method::get, "/", {{"Range", "bytes=2-4"}, {"If-Range", "\"tag1\""}}))
                .status,
            206);
}

TEST_F(ApplyRange, StaleIfRangeGivesTheWhole) {
  for (const std::string_view value : {"\"tag2\"", "W/\"tag1\"", "tag1", "\"tag1\", \"tag1\"", "*",
                                       "Sun, 06 Nov 1994 08:49:37 GMT", ""}) {
    EXPECT_EQ(
        apply(TestRequest(Method::get, "/", {{"Range", "bytes=2-4"}, {"If-Range", value}})).status,
        200)
        << value;
    EXPECT_EQ(body(), "0123456789");
  }
  EXPECT_EQ(apply(TestRequest(Method::get, "/", {{"Range", "bytes=2-4"}, {"If-Range", "W/\"a\""}}),
                  "W/\"a\"")
                .status,
            200);
}

TEST_F(ApplyRange, PartsOfAnyRangesAreTheRightBytes) {
  rc::check("each part is what its Content-Range says", [this] {
    const auto first = *rc::gen::inRange(0, 10);
    const auto last = *rc::gen::inRange(first, 12);
    const std::string value = "bytes=" + std::to_string(first) + "-" + std::to_string(last);
    apply(TestRequest(Method::get, "/", {{"Range", value}}));
    RC_ASSERT(response_.status == 206);
    RC_ASSERT(body() == std::string("0123456789")
                            .substr(static_cast<std::size_t>(first),
                                    static_cast<std::size_t>(last - first + 1)));
  });
}

}  // namespace
}  // namespace cairn::http
