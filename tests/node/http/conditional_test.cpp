// Conditions and dates (RFC 9110 sections 5.6.7, 13).
#include "node/http/conditional.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/node/http/requests.h"

namespace cairn::http {
namespace {

constexpr Precondition kProceed = Precondition::proceed;
constexpr Precondition kNotModified = Precondition::not_modified;
constexpr Precondition kFailed = Precondition::failed;
// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 5.6.7.
constexpr std::int64_t kNov94 = 784111777;

using FieldPairs = std::initializer_list<std::pair<std::string_view, std::string_view>>;

Precondition verdict(Method method, FieldPairs fields, std::string_view etag = "\"xyzzy\"",
                     std::optional<std::int64_t> modified = kNov94) {
  const TestRequest request(method, "/", fields);
  return evaluate(request, {.etag = etag, .modified_s = modified});
}

TEST(Condition, NoneProceeds) {
  EXPECT_EQ(verdict(Method::get, {}), kProceed);
}

TEST(Condition, IfNoneMatchComparesWeakly) {
  EXPECT_EQ(verdict(Method::get, {{"If-None-Match", "\"xyzzy\""}}), kNotModified);
  EXPECT_EQ(verdict(Method::head, {{"If-None-Match", "W/\"xyzzy\""}}), kNotModified);
  EXPECT_EQ(verdict(Method::get, {{"If-None-Match", "\"xyzzy\""}}, "W/\"xyzzy\""), kNotModified);
  EXPECT_EQ(verdict(Method::get, {{"If-None-Match", "\"r2d2\", \"xyzzy\" ,\"c3\""}}), kNotModified);
  EXPECT_EQ(verdict(Method::get, {{"If-None-Match", "\"r2d2\""}, {"if-none-match", "\"xyzzy\""}}),
            kNotModified);
  EXPECT_EQ(verdict(Method::get, {{"If-None-Match", "*"}}), kNotModified);
  EXPECT_EQ(verdict(Method::get, {{"If-None-Match", "\"xyzz\""}}), kProceed);
  EXPECT_EQ(verdict(Method::get, {{"If-None-Match", "\"a,\\\"b\""}}, "\"a,\\\""), kProceed);
}

TEST(Condition, IfNoneMatchOnWriteFails) {
  EXPECT_EQ(verdict(Method::put, {{"If-None-Match", "*"}}), kFailed);
  EXPECT_EQ(verdict(Method::put, {{"If-None-Match", "\"other\""}}), kProceed);
}

TEST(Condition, IfMatchComparesStrongly) {
  EXPECT_EQ(verdict(Method::get, {{"If-Match", "\"xyzzy\", \"r2d2\""}}), kProceed);
  EXPECT_EQ(verdict(Method::get, {{"If-Match", "*"}}), kProceed);
  EXPECT_EQ(verdict(Method::get, {{"If-Match", "W/\"xyzzy\""}}), kFailed);
  EXPECT_EQ(verdict(Method::get, {{"If-Match", "\"xyzzy\""}}, "W/\"xyzzy\""), kFailed);
  EXPECT_EQ(verdict(Method::get, {{"If-Match", "\"r2d2\""}}), kFailed);
}

TEST(Condition, TagListOutranksItsDate) {
  EXPECT_EQ(verdict(Method::get, {{"If-None-Match", "\"other\""},
                                  {"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}),
            kProceed);
  EXPECT_EQ(verdict(Method::get, {{"If-Match", "\"xyzzy\""},
                                  {"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"}}),
            kProceed);
}

TEST(Condition, DatesCompareBySecond) {
  EXPECT_EQ(verdict(Method::get, {{"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}),
            kNotModified);
  EXPECT_EQ(verdict(Method::get, {{"If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"}}),
            kProceed);
  EXPECT_EQ(verdict(Method::put, {{"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}),
            kProceed);
  EXPECT_EQ(verdict(Method::get, {{"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}),
            kProceed);
  EXPECT_EQ(verdict(Method::get, {{"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"}}),
            kFailed);
  EXPECT_EQ(verdict(Method::get, {{"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}, "\"x\"",
                    std::nullopt),
            kProceed);
}

TEST(Condition, MalformedIsIgnored) {
  for (const std::string_view bad : {"xyzzy", "\"xyzzy", "\"xyzzy\" \"b\"", "w/\"xyzzy\"", "", ",",
                                     "\"xyzzy\", b", "\"xy\x7f\"", "*, \"xyzzy\""}) {
    EXPECT_EQ(verdict(Method::get, {{"If-None-Match", bad}}), kProceed) << bad;
    EXPECT_EQ(verdict(Method::get, {{"If-Match", bad}}), kProceed) << bad;
    EXPECT_EQ(verdict(Method::get, {{"If-Modified-Since", bad}}), kProceed) << bad;
    EXPECT_EQ(verdict(Method::get, {{"If-Unmodified-Since", bad}}), kProceed) << bad;
  }
}

TEST(HttpDate, KnownDatesMatch) {
  EXPECT_EQ(http_date(kNov94), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(http_date(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(http_date(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(HttpDate, BeyondFourDigitsOfYearIsClamped) {
  EXPECT_EQ(http_date(std::numeric_limits<std::int64_t>::max()), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(http_date(std::numeric_limits<std::int64_t>::min()), "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST(HttpDate, EverySecondReadsBack) {
  rc::check("parse_http_date(http_date(t)) == t", [] {
    const auto seconds = *rc::gen::inRange<std::int64_t>(-62167219200, 253402300800);
    RC_ASSERT(parse_http_date(http_date(seconds)) == seconds);
  });
}

TEST(HttpDate, OtherSpellingsRefused) {
  for (const std::string_view text :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:60 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 anF 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 19-4 08:49:37 GMT", "Sun,x06 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace cairn::http
