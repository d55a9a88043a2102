// PUT and POST of one block.
#include "crypto/hash.h"
#include "node/api/upload.h"
#include "tests/node/api/api_harness.h"

namespace cairn::api {
namespace {

using http::Framing;
using http::Method;

class BlockWrite : public ApiTest {
 protected:
  Answer put(std::string body, std::size_t part_bytes = 1000, Framing framing = Framing::length) {
    const BlockId id = block_id_of(as_bytes(body));
    return call({.method = Method::put,
                 .target = "/v1/blocks/" + id.text(),
                 .body = std::move(body),
                 .framing = framing,
                 .part_bytes = part_bytes});
  }
  static std::string bytes_of(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + size);
    return bytes;
  }
};

TEST_F(BlockWrite, NewBlockGives201AndIsHeld) {
  const BlockId id = block_id_of(as_bytes("hello"));
  const Answer answer = put("hello");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "{\"id\":\"" + id.text() + "\",\"size\":5}");
  EXPECT_EQ(get(id).body, "hello");
}

TEST_F(BlockWrite, HeldBlockGives200) {
  put("hello");
  EXPECT_EQ(put("hello").status, 200);
  EXPECT_EQ(store_.count(), 1U);
}

TEST_F(BlockWrite, PostNamesTheBlock) {
  const BlockId id = block_id_of(as_bytes("hello"));
  const Answer answer = post("/v1/blocks", "hello");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.field("Location"), "/v1/blocks/" + id.text());
  EXPECT_EQ(answer.body, "{\"id\":\"" + id.text() + "\",\"size\":5}");
  EXPECT_EQ(post("/v1/blocks", "hello").status, 200);
}

TEST_F(BlockWrite, EverySizeAndCutStoresTheSameBytes) {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{65535}, std::size_t{65536}, std::size_t{65537}, kBlockLimit}) {
    for (const std::size_t part : {std::size_t{997}, std::size_t{1} << 20}) {
      for (const Framing framing : {Framing::length, Framing::chunked}) {
        const std::string body = bytes_of(size);
        const Answer answer = put(body, part, framing);
        EXPECT_TRUE(answer.status == 201 || answer.status == 200) << size << " " << part;
        EXPECT_EQ(get(block_id_of(as_bytes(body))).body, body);
        EXPECT_LE(answer.largest_read, std::size_t{64} << 10) << "a slice that stalls the loop";
      }
    }
  }
}

TEST_F(BlockWrite, OtherBytesThanTheIdSaysGive422AndNothingIsStored) {
  const BlockId id = block_id_of(as_bytes("hello"));
  const Answer answer =
      call({.method = Method::put, .target = "/v1/blocks/" + id.text(), .body = "hellO"});
  EXPECT_EQ(answer.status, 422);
  EXPECT_TRUE(answer.is_problem("hash-mismatch"));
  EXPECT_EQ(store_.count(), 0U);
}

TEST_F(BlockWrite, EmptyBlockGives422) {
  EXPECT_EQ(put("").status, 422);
  EXPECT_EQ(put("", 1, Framing::chunked).status, 422);
  EXPECT_TRUE(post("/v1/blocks", "").is_problem("empty-block"));
  EXPECT_EQ(store_.calls().put, 0U);
}

TEST_F(BlockWrite, DeclaredOverTheLimitGives413BeforeABodyByteIsRead) {
  const Answer answer = put(bytes_of(kBlockLimit + 1));
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.read_bytes, 0U);
}

TEST_F(BlockWrite, ChunkedOverTheLimitGives413AsSoonAsItPassesIt) {
  const Answer answer = put(bytes_of(kBlockLimit * 3), 1000, Framing::chunked);
  EXPECT_EQ(answer.status, 413);
  EXPECT_LE(answer.read_bytes, kBlockLimit + 1);
  EXPECT_EQ(store_.count(), 0U);
}

TEST_F(BlockWrite, NoFramingGives411) {
  EXPECT_EQ(put("x", 1, Framing::none).status, 411);
}

TEST_F(BlockWrite, EncodedBodyGives415Unread) {
  const Answer answer = post("/v1/blocks", "\x1f\x8b", {{"content-encoding", "gzip"}});
  EXPECT_EQ(answer.status, 415);
  EXPECT_EQ(answer.read_bytes, 0U);
  EXPECT_EQ(post("/v1/blocks", "x", {{"Content-Encoding", "Identity"}}).status, 201);
}

TEST_F(BlockWrite, EncodingInAnyOfSeveralFieldsGives415) {
  const std::pair<std::string, std::string> identity{"Content-Encoding", "identity"};
  const std::pair<std::string, std::string> gzip{"content-encoding", "gzip"};
  EXPECT_EQ(post("/v1/blocks", "x", {identity, gzip}).status, 415);
  EXPECT_EQ(post("/v1/blocks", "x", {gzip, identity}).status, 415);
  EXPECT_EQ(post("/v1/blocks", "x", {identity, identity}).status, 201);
}

TEST_F(BlockWrite, ConditionsAreHeededBeforeTheBodyIsRead) {
  const BlockId id = block_id_of(as_bytes("hello"));
  const std::string tag = "\"" + id.text() + "\"";
  const auto put_if = [&](const char* name, const std::string& value) {
    return call({.method = Method::put,
                 .target = "/v1/blocks/" + id.text(),
                 .fields = {{name, value}},
                 .body = "hello"});
  };
  for (const std::string& value : {std::string("*"), tag}) {
    const Answer gone = put_if("If-Match", value);
    EXPECT_EQ(gone.status, 412) << value;
    EXPECT_TRUE(gone.is_problem("precondition-failed"));
    EXPECT_EQ(gone.read_bytes, 0U);
  }
  EXPECT_EQ(store_.count(), 0U);
  EXPECT_EQ(put_if("If-None-Match", "*").status, 201);
  for (const std::string& value : {std::string("*"), tag, "W/" + tag, "\"x\", " + tag}) {
    const Answer held = put_if("If-None-Match", value);
    EXPECT_EQ(held.status, 412) << value;
    EXPECT_EQ(held.read_bytes, 0U);
  }
  EXPECT_EQ(put_if("If-None-Match", "\"x\"").status, 200);
  EXPECT_EQ(put_if("If-Match", tag).status, 200);
  EXPECT_EQ(put_if("If-Match", "*").status, 200);
  EXPECT_EQ(put_if("If-Match", "\"x\"").status, 412);
}

TEST_F(BlockWrite, ConditionThatCannotBeJudgedGives503AndADamagedBlockMatchesNothing) {
  const BlockId id = block_id_of(as_bytes("hello"));
  const auto put_if = [&](const char* name) {
    return call({.method = Method::put,
                 .target = "/v1/blocks/" + id.text(),
                 .fields = {{name, "*"}},
                 .body = "hello"});
  };
  store_.set_failure(Errc::unavailable);
  EXPECT_EQ(put_if("If-None-Match").status, 503);
  store_.set_failure(Errc::corrupt);
  EXPECT_EQ(put_if("If-Match").status, 412);
}

TEST_F(BlockWrite, MalformedIdGives400Unread) {
  const Answer answer = call({.method = Method::put, .target = "/v1/blocks/xyz", .body = "hello"});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.read_bytes, 0U);
}

TEST_F(BlockWrite, BrokenBodyLeavesNothing) {
  const BlockId id = block_id_of(as_bytes("hello"));
  for (const auto& [code, status] : {std::pair{Errc::malformed, 400}, {Errc::unavailable, 408}}) {
    const Answer answer = call({.method = Method::put,
                                .target = "/v1/blocks/" + id.text(),
                                .body = "hell",
                                .body_failure = code,
                                .declared = 5});
    EXPECT_EQ(answer.status, status);
  }
  // A transport that ended early without an error must not be believed either.
  EXPECT_EQ(
      call({.method = Method::post, .target = "/v1/blocks", .body = "hell", .declared = 5}).status,
      400);
  EXPECT_EQ(store_.count(), 0U);
}

TEST_F(BlockWrite, FullStoreGives507) {
  store_.set_failure(Errc::full);
  EXPECT_EQ(put("hello").status, 507);
}

TEST_F(BlockWrite, FailingStoreGives503WithRetryAfter) {
  for (const Errc code : {Errc::overloaded, Errc::unavailable}) {
    store_.set_failure(code);
    const Answer answer = put("hello");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.field("Retry-After"), "1");
  }
}

TEST_F(BlockWrite, ExhaustedBudgetGives503BeforeABodyByteIsRead) {
  const ByteBudget::Share rest = budget_.take(budget_.limit_bytes() - 3);
  const Answer answer = put("hello");
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.is_problem("overloaded"));
  EXPECT_EQ(answer.read_bytes, 0U);
  EXPECT_EQ(put("abc").status, 201);
  EXPECT_EQ(put("hello", 1, Framing::chunked).status, 503);
}

/// A body whose first byte never comes: the budget that is in use when it is waited for.
class StalledBody final : public http::BodyReader {
 public:
  explicit StalledBody(const ByteBudget& budget) : budget_(budget) {}
  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  Task<Result<std::size_t>> read(MutableByteView) override {
    used_bytes = budget_.used_bytes();
    co_return fail(Errc::unavailable, "the test wants it so");
  }
  std::size_t used_bytes = 0;

 private:
  const ByteBudget& budget_;
};

TEST_F(BlockWrite, AnnouncementAloneHoldsAlmostNothing) {
  const std::string target = "/v1/blocks/" + block_id_of(as_bytes("hello")).text();
  for (const Framing framing : {Framing::length, Framing::chunked}) {
    with_request(
        {.method = Method::put, .target = target, .framing = framing, .declared = kBlockLimit},
        [&](const http::Request& request) {
          StalledBody body(budget_);
          const auto upload = run_task(io_, read_block(request, body, budget_, kBlockLimit));
          EXPECT_FALSE(upload);
          EXPECT_EQ(body.used_bytes, kFirstBytes);
        });
  }
}

TEST_F(BlockWrite, ClosedSiteReadsNothing) {
  ApiOptions closed = options();
  closed.write = WritePolicy::nobody;
  use(closed);
  const Answer nobody = put("hello");
  EXPECT_EQ(nobody.status, 403);
  EXPECT_EQ(nobody.read_bytes, 0U);
  closed.write = WritePolicy::accounts;
  use(closed);
  const Answer accounts = put("hello");
  EXPECT_EQ(accounts.status, 401);
  EXPECT_EQ(accounts.field("WWW-Authenticate"), "Bearer");
  EXPECT_NE(accounts.body.find("\"hint\":"), std::string::npos);
}

TEST_F(BlockWrite, OptionsOverTheirLimitsThrow) {
  ApiOptions wrong = options();
  wrong.block_bytes = kMaxBlockBytes + 1;
  EXPECT_THROW(use(wrong), std::invalid_argument);
  wrong = options();
  wrong.ids_per_call = kMaxIdsPerCall + 1;
  EXPECT_THROW(use(wrong), std::invalid_argument);
}

}  // namespace
}  // namespace cairn::api
