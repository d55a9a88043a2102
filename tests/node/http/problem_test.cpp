#include "node/http/problem.h"

#include <gtest/gtest.h>

namespace cairn::http {
namespace {

std::string body_of(const Response& response) {
  std::string body;
  for (const Piece& piece : response.pieces) body += as_text(piece.bytes());
  return body;
}

TEST(Problem, AllMembersStandInTheDocument) {
  Response response;
  response.fields.add("Content-Type", "text/html");
  set_problem(response, {.status = 422,
                         .type = "hash-mismatch",
                         .title = "Title.",
                         .detail = "Detail.",
                         .hint = "Hint."});
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.fields.find("Content-Type"), "application/problem+json");
  EXPECT_EQ(response.fields.find("Cache-Control"), "no-store");
  EXPECT_EQ(body_of(response), R"({"type":"/problems/hash-mismatch","title":"Title.","status":422,)"
                               R"("detail":"Detail.","hint":"Hint."})");
}

TEST(Problem, EmptyMembersAreLeftOut) {
  Response response;
  set_problem(response, {.status = 404, .type = {}, .title = "T", .detail = {}, .hint = {}});
  EXPECT_EQ(body_of(response), R"({"type":"about:blank","title":"T","status":404})");
}

TEST(Problem, QuotedInputIsEscaped) {
  Response response;
  set_problem(response, {.status = 400,
                         .type = "bad-id",
                         .title = "T",
                         .detail = "\"\r\n\x01\xff</script>",
                         .hint = {}});
  EXPECT_NE(body_of(response).find(R"(\"\u000d\u000a\u0001\ufffd</script>)"), std::string::npos)
      << body_of(response);
  EXPECT_EQ(body_of(response).find('\xff'), std::string::npos);
}

}  // namespace
}  // namespace cairn::http
