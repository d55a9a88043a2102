// GET and HEAD of a block.
#include "base/block_id_text.h"
#include "crypto/hash.h"
#include "tests/node/api/api_harness.h"

namespace cairn::api {
namespace {

using http::Method;

class BlockRead : public ApiTest {
 protected:
  BlockId id_ = hold("0123456789");
};

TEST_F(BlockRead, HeldBlockComesAtOnceWithAllItsFields) {
  const Answer answer = get(id_);
  EXPECT_TRUE(answer.at_once);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "0123456789");
  EXPECT_EQ(answer.answered_by, "memory");
  EXPECT_EQ(answer.fields.text(),
            "Content-Type: application/octet-stream\r\n"
            "ETag: \"84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882\"\r\n"
            "Cache-Control: public, max-age=31536000, immutable\r\n"
            "Accept-Ranges: bytes\r\n"
            "Repr-Digest: sha-256=:hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=:\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Cairn-Source: memory\r\n"
            "Vary: Origin\r\n");
}

TEST_F(BlockRead, CidNamesTheSameBlock) {
  EXPECT_EQ(call({.target = "/v1/blocks/" + cid_text(id_)}).body, "0123456789");
}

TEST_F(BlockRead, BlockThatIsNotAtHandIsWaitedFor) {
  store_.set_answers_at_once(false);
  const Answer answer = get(id_);
  EXPECT_FALSE(answer.at_once);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "0123456789");
}

TEST_F(BlockRead, HeadGivesSizeWithoutReadingBytes) {
  const Answer at_once = call({.method = Method::head, .target = "/v1/blocks/" + id_.text()});
  EXPECT_EQ(at_once.head_length, 10U);
  EXPECT_EQ(at_once.body, "");
  store_.set_answers_at_once(false);
  const Answer later = call({.method = Method::head, .target = "/v1/blocks/" + id_.text()});
  EXPECT_EQ(later.status, 200);
  EXPECT_EQ(later.head_length, 10U);
  EXPECT_EQ(later.fields.text(), at_once.fields.text());
  EXPECT_EQ(store_.calls().get, 0U);
  EXPECT_EQ(store_.calls().stat, 1U);
}

TEST_F(BlockRead, NotHeldGives404BothWays) {
  const BlockId gone = block_id_of(as_bytes("gone"));
  EXPECT_EQ(get(gone).status, 404);
  EXPECT_TRUE(get(gone).is_problem("not-held"));
  EXPECT_EQ(get(gone).field("Cache-Control"), "no-store");
  store_.set_answers_at_once(false);
  EXPECT_EQ(get(gone).status, 404);
}

TEST_F(BlockRead, FailureIsNeverAFalse404) {
  for (const Errc code : {Errc::unavailable, Errc::overloaded, Errc::wrong_epoch}) {
    store_.set_failure(code);
    const Answer answer = get(id_);
    EXPECT_EQ(answer.status, 503) << name_of(code);
    EXPECT_EQ(answer.field("Retry-After"), "1");
  }
  store_.set_failure(std::nullopt);
  store_.spoil(id_);
  EXPECT_EQ(get(id_).status, 500);
  EXPECT_TRUE(get(id_).is_problem("corrupt"));
}

TEST_F(BlockRead, MalformedIdGives400) {
  const std::string text = id_.text();
  std::string upper = text;
  upper[1] = 'D';
  for (const std::string& bad :
       {text.substr(1), text + "0", "%38" + text.substr(1), upper, std::string(64, 'g'),
        std::string(), std::string("bafkrei"), std::string(5000, 'a')}) {
    const Answer answer = call({.target = "/v1/blocks/" + bad});
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_TRUE(answer.is_problem("bad-id")) << bad;
  }
}

class BlockCondition : public BlockRead, public ::testing::WithParamInterface<bool> {
 protected:
  BlockCondition() { store_.set_answers_at_once(GetParam()); }
  std::string tag() const { return "\"" + id_.text() + "\""; }
};

TEST_P(BlockCondition, MatchingTagGives304WithoutReadingBytes) {
  for (const std::string& value : {tag(), "W/" + tag(), "\"a\", " + tag(), std::string("*")}) {
    const Answer answer = get(id_, {{"if-none-match", value}});
    EXPECT_EQ(answer.status, 304) << value;
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(answer.field("ETag"), tag());
  }
  EXPECT_EQ(store_.calls().get, 0U);
}

TEST_P(BlockCondition, OtherTagGivesTheBlock) {
  const Answer answer = get(id_, {{"If-None-Match", "\"a\""}, {"If-Match", tag()}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "0123456789");
}

TEST_P(BlockCondition, IfMatchOfAnotherTagGives412) {
  EXPECT_EQ(get(id_, {{"If-Match", "\"a\""}}).status, 412);
}

TEST_P(BlockCondition, ConditionOnWhatIsNotHeldGives404) {
  EXPECT_EQ(get(block_id_of(as_bytes("gone")), {{"If-None-Match", "*"}}).status, 404);
}

TEST_P(BlockCondition, RangeGivesTheParts) {
  const Answer one = get(id_, {{"Range", "bytes=2-4"}});
  EXPECT_EQ(one.status, 206);
  EXPECT_EQ(one.body, "234");
  EXPECT_EQ(one.field("Content-Range"), "bytes 2-4/10");
  const Answer two = get(id_, {{"Range", "bytes=0-0,9-9"}});
  EXPECT_EQ(two.status, 206);
  EXPECT_TRUE(two.field("Content-Type").starts_with("multipart/byteranges; boundary=cairn84d898"));
  const Answer none = get(id_, {{"Range", "bytes=10-"}});
  EXPECT_EQ(none.status, 416);
  EXPECT_EQ(none.field("Content-Range"), "bytes */10");
}

TEST_P(BlockCondition, ConditionIsDecidedBeforeRange) {
  EXPECT_EQ(get(id_, {{"Range", "bytes=2-4"}, {"If-None-Match", tag()}}).status, 304);
  EXPECT_EQ(get(id_, {{"Range", "bytes=2-4"}, {"If-Match", tag()}}).status, 206);
  EXPECT_EQ(get(id_, {{"Range", "bytes=2-4"}, {"If-Range", "\"a\""}}).status, 200);
}

INSTANTIATE_TEST_SUITE_P(AtOnceAndWaiting, BlockCondition, ::testing::Bool());

class CorsAnswers : public BlockRead {
 protected:
  void allow(std::vector<std::string> origins) {
    ApiOptions changed = options();
    changed.cors_origins = std::move(origins);
    use(changed);
  }
};

TEST_F(CorsAnswers, OwnPagesOnlyByDefault) {
  for (const char* origin : {"https://site.test", "http://site.test", "https://SITE.test"}) {
    EXPECT_EQ(get(id_, {{"Origin", origin}}).field("Access-Control-Allow-Origin"), origin);
  }
  for (const char* origin : {"https://other.test", "https://site.test.evil", "https://site.test:81",
                             "https://xsite.test", "site.test", "null", "ftp://site.test", ""}) {
    const Answer answer = get(id_, {{"Origin", origin}});
    EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "") << origin;
    EXPECT_EQ(answer.field("Vary"), "Origin");
  }
}

TEST_F(CorsAnswers, NamedOriginIsExposedToAndVaried) {
  allow({"https://app.test"});
  const Answer allowed = get(id_, {{"Origin", "https://app.test"}});
  EXPECT_EQ(allowed.field("Access-Control-Allow-Origin"), "https://app.test");
  EXPECT_EQ(allowed.field("Vary"), "Origin");
  for (const char* name : {"ETag", "Repr-Digest", "Retry-After", "Location", "Cairn-Source"}) {
    EXPECT_TRUE(http::list_contains(allowed.fields.find("Access-Control-Expose-Headers"), name));
  }
  for (const char* origin : {"https://app.test.evil", "http://app.test", "null", "*"}) {
    const Answer refused = get(id_, {{"Origin", origin}});
    EXPECT_EQ(refused.field("Access-Control-Allow-Origin"), "") << origin;
    EXPECT_EQ(refused.field("Vary"), "Origin");
  }
  EXPECT_EQ(get(id_).field("Vary"), "Origin");
}

TEST_F(CorsAnswers, AnyOriginNeedsNoVary) {
  allow({"*"});
  EXPECT_EQ(get(id_).field("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(get(id_, {{"Origin", "https://x.test"}}).field("Vary"), "");
}

TEST_F(CorsAnswers, RefusalsAreReadableToo) {
  allow({"*"});
  EXPECT_EQ(call({.target = "/v1/blocks/xyz"}).field("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(get(id_, {{"Range", "bytes=99-"}}).field("Access-Control-Allow-Origin"), "*");
}

TEST_F(CorsAnswers, PreflightNamesMethodsAndFields) {
  allow({"https://app.test"});
  const Answer answer =
      call({.method = Method::options,
            .target = "/v1/blocks/" + id_.text(),
            .fields = {{"Origin", "https://app.test"}, {"Access-Control-Request-Method", "PUT"}}});
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "https://app.test");
  EXPECT_TRUE(http::list_contains(answer.fields.find("Access-Control-Allow-Methods"), "PUT"));
  EXPECT_TRUE(http::list_contains(answer.fields.find("Access-Control-Allow-Headers"), "Range"));
  EXPECT_EQ(answer.field("Access-Control-Max-Age"), "86400");
}

TEST_F(CorsAnswers, PreflightOfAnotherOriginGetsNothing) {
  allow({"https://app.test"});
  const Answer answer = call(
      {.method = Method::options,
       .target = "/v1/blocks",
       .fields = {{"Origin", "https://evil.test"}, {"Access-Control-Request-Method", "POST"}}});
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.field("Allow"), "POST, OPTIONS");
  EXPECT_EQ(answer.field("Access-Control-Allow-Methods"), "");
  EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "");
}

}  // namespace
}  // namespace cairn::api
