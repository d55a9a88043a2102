#include "node/site_router.h"

#include <gtest/gtest.h>

#include "tests/node/http/requests.h"

namespace cairn {
namespace {

using http::Method;
using http::TestRequest;

/// Answers with its name, at once or only when waited for.
class NamedHandler final : public http::Handler {
 public:
  explicit NamedHandler(std::string name, bool at_once = true)
      : name_(std::move(name)), at_once_(at_once) {}
  bool try_handle(const http::Request&, http::Response& response) override {
    if (at_once_) response.set_text(200, "text/plain", name_);
    return at_once_;
  }
  Task<void> handle(const http::Request&, http::BodyReader&, http::Response& response) override {
    response.set_text(200, "text/plain", name_);
    co_return;
  }

 private:
  const std::string name_;
  const bool at_once_;
};

class SiteRouterTest : public ::testing::Test {
 protected:
  /// "a-api", "b-files", ... or the status where no handler answered.
  std::string answer(SiteRouter& router, const std::string& host, const std::string& target) {
    TestRequest request(Method::get, target);
    request.edit().host = host;
    http::Response response;
    if (!router.try_handle(request, response)) return "later";
    if (response.status != 200) return std::to_string(response.status);
    return std::string(as_text(response.pieces.at(0).bytes()));
  }

  NamedHandler a_api_{"a-api"};
  NamedHandler a_files_{"a-files"};
  NamedHandler b_api_{"b-api", false};
};

TEST_F(SiteRouterTest, HostAndPathChooseTheHandler) {
  SiteRouter router(
      {{{"a.test", "www.a.test"}, &a_api_, &a_files_}, {{"b.test"}, &b_api_, nullptr}});
  EXPECT_EQ(answer(router, "a.test", "/"), "a-files");
  EXPECT_EQ(answer(router, "WWW.A.Test", "/v1/blocks/x"), "a-api");
  EXPECT_EQ(answer(router, "a.test", "/v1"), "a-api");
  EXPECT_EQ(answer(router, "a.test", "/v1x"), "a-files");
  EXPECT_EQ(answer(router, "a.test", "/V1/blocks"), "a-files");
  EXPECT_EQ(answer(router, "b.test", "/v1/x"), "later");
  EXPECT_EQ(answer(router, "b.test", "/x"), "404");
}

TEST_F(SiteRouterTest, UnknownHostIsMisdirectedUnlessASiteTakesAny) {
  SiteRouter strict({{{"a.test"}, &a_api_, &a_files_}});
  EXPECT_EQ(answer(strict, "c.test", "/"), "421");
  EXPECT_EQ(answer(strict, "a.test.", "/"), "421");
  EXPECT_EQ(answer(strict, std::string(5000, 'a'), "/"), "421");
  SiteRouter open({{{"b.test"}, &b_api_, nullptr}, {{"*"}, &a_api_, &a_files_}});
  EXPECT_EQ(answer(open, "c.test", "/"), "a-files");
  EXPECT_EQ(answer(open, std::string(5000, 'a'), "/"), "a-files");
  EXPECT_EQ(answer(open, "b.test", "/v1/x"), "later");
}

TEST_F(SiteRouterTest, OptionsOfTheWholeServerIsAnswered) {
  SiteRouter router({{{"a.test"}, &a_api_, &a_files_}});
  TestRequest request(Method::options, "*");
  http::Response response;
  EXPECT_TRUE(router.try_handle(request, response));
  EXPECT_EQ(response.status, 204);
  EXPECT_NE(response.fields.find("Allow").find("PUT"), std::string_view::npos);
}

}  // namespace
}  // namespace cairn
