// The routes of accounts over a store in memory.
#include <boost/json/parse.hpp>

#include "crypto/hash.h"
#include "tests/conformance/account_owner.h"
#include "tests/node/api/api_harness.h"

namespace cairn::api {
namespace {

using http::Method;

class AccountRoutes : public ApiTest {
 protected:
  static std::string path_to(std::string_view handle) {
    return "/v1/accounts/" + std::string(handle);
  }
  Answer put(const AccountOwner& owner, const Bytes& record,
             std::vector<std::pair<std::string, std::string>> fields = {}) {
    return call({.method = Method::put,
                 .target = path_to(owner.handle()),
                 .fields = std::move(fields),
                 .body = std::string(as_text(record))});
  }
  static boost::json::object parsed(const Answer& answer) {
    return boost::json::parse(answer.body).as_object();
  }
  static std::string text_at(const boost::json::object& object, const char* name) {
    return std::string(object.at(name).as_string().c_str());
  }
  std::string nonce_for(const std::string& handle) {
    return text_at(parsed(post(path_to(handle) + "/challenge", "")), "nonce");
  }
  static std::string login_body(const AccountOwner& owner, const std::string& nonce,
                                LoginAction action = LoginAction::login,
                                std::string_view host = "site.test") {
    return "{\"nonce\":\"" + nonce + "\",\"key\":\"" +
           to_base64url(owner.slot_key().public_key().bytes) + "\",\"signature\":\"" +
           to_base64url(owner.sign_login(host, nonce, action).bytes) + "\",\"action\":\"" +
           std::string(name_of(action)) + "\"}";
  }
  Answer log_in(const AccountOwner& owner, LoginAction action = LoginAction::login) {
    return post(path_to(owner.handle()) + "/login",
                login_body(owner, nonce_for(owner.handle()), action));
  }
  std::string token_of(const AccountOwner& owner, LoginAction action = LoginAction::login) {
    return text_at(parsed(log_in(owner, action)), "token");
  }
  Answer with_token(Method method, std::string target, const std::string& token,
                    std::string body = {}) {
    return call({.method = method,
                 .target = std::move(target),
                 .fields = {{"Authorization", "Bearer " + token}},
                 .body = std::move(body)});
  }

  AccountOwner ada_{"ada@example.org"};
};

TEST_F(AccountRoutes, SignUpLoginRefreshAndMe) {
  EXPECT_EQ(put(ada_, ada_.bytes()).status, 201);
  EXPECT_EQ(put(ada_, ada_.bytes()).status, 200);
  const auto challenge = parsed(post(path_to("ada%40example.org") + "/challenge", ""));
  const auto& kdf = challenge.at("kdf").as_object();
  EXPECT_EQ(text_at(kdf, "salt"), to_base64url(ada_.record().slots[0].kdf->salt));
  const auto answer = parsed(log_in(ada_));
  EXPECT_EQ(text_at(answer, "record"), to_base64url(ada_.bytes()));
  EXPECT_EQ(answer.at("expires_in").as_int64(), 900);
  const std::string token = text_at(answer, "token");
  EXPECT_EQ(text_at(parsed(with_token(Method::get, "/v1/me", token)), "handle"), ada_.handle());
  const auto fresh = with_token(Method::post, "/v1/token/refresh", token);
  EXPECT_EQ(fresh.status, 200);
  clock_.pass(std::chrono::minutes(15));
  EXPECT_EQ(with_token(Method::get, "/v1/me", token).status, 401);
  EXPECT_EQ(with_token(Method::post, "/v1/token/refresh", token).status, 401);
}

TEST_F(AccountRoutes, SessionEndsADayAfterTheLogin) {
  put(ada_, ada_.bytes());
  std::string token = token_of(ada_);
  int refreshed = 0;
  for (Answer answer = with_token(Method::post, "/v1/token/refresh", token); answer.status == 200;
       answer = with_token(Method::post, "/v1/token/refresh", token)) {
    token = text_at(parsed(answer), "token");
    clock_.pass(std::chrono::minutes(14));
    ASSERT_LT(++refreshed, 200);
  }
  EXPECT_GE(refreshed, 24 * 60 / 14);
  EXPECT_LE(refreshed, 24 * 60 / 14 + 1);
}

TEST_F(AccountRoutes, EverythingWrongAboutALoginIsOneRefusal) {
  put(ada_, ada_.bytes());
  const std::string target = path_to(ada_.handle()) + "/login";
  const std::string nonce = nonce_for(ada_.handle());
  const AccountOwner stranger(ada_.handle());
  const std::string other = nonce_for("bob");
  std::vector<std::string> bodies = {login_body(stranger, nonce), login_body(ada_, other),
                                     login_body(ada_, nonce, LoginAction::login, "evil.test"),
                                     login_body(ada_, "AAAA")};
  std::string swapped = login_body(ada_, nonce);
  swapped.replace(swapped.find("\"login\""), 7, "\"delete\"");
  bodies.push_back(swapped);
  std::set<std::string> words;
  for (const std::string& body : bodies) {
    const Answer answer = post(target, body);
    EXPECT_EQ(answer.status, 401) << body;
    words.insert(answer.body);
  }
  const AccountOwner nobody("nobody");
  words.insert(post(path_to("nobody") + "/login", login_body(nobody, nonce_for("nobody"))).body);
  EXPECT_EQ(words.size(), 1U) << "what was wrong can be told";
  EXPECT_EQ(post(target, login_body(ada_, nonce)).status, 200) << "failures use no nonce up";
  EXPECT_EQ(post(target, login_body(ada_, nonce)).status, 401) << "the same answer twice";
  const std::string late = nonce_for(ada_.handle());
  clock_.pass(std::chrono::minutes(2));
  EXPECT_EQ(post(target, login_body(ada_, late)).status, 401);
}

TEST_F(AccountRoutes, UnknownHandleLooksLikeAKnownOne) {
  put(ada_, ada_.bytes());
  const Answer known = post(path_to(ada_.handle()) + "/challenge", "");
  const Answer unknown = post(path_to("nobody") + "/challenge", "");
  EXPECT_EQ(known.status, unknown.status);
  EXPECT_EQ(known.fields.text(), unknown.fields.text());
  const auto kdf = [](const Answer& answer) {
    return boost::json::parse(answer.body).as_object().at("kdf").as_object();
  };
  for (const auto& member : kdf(known)) EXPECT_TRUE(kdf(unknown).contains(member.key()));
  EXPECT_EQ(kdf(unknown), kdf(post(path_to("nobody") + "/challenge", "")));
}

TEST_F(AccountRoutes, RemovedSlotsAndAccountsEndTheirTokens) {
  put(ada_, ada_.bytes());
  const std::string token = token_of(ada_);
  ada_.change_slot();
  EXPECT_EQ(put(ada_, ada_.next()).status, 201);
  EXPECT_EQ(with_token(Method::post, "/v1/token/refresh", token).status, 401);
  const std::string fresh = token_of(ada_);
  EXPECT_EQ(with_token(Method::delete_, path_to(ada_.handle()), fresh).status, 401);
  const std::string removing = token_of(ada_, LoginAction::remove);
  EXPECT_EQ(with_token(Method::delete_, path_to("bob"), removing).status, 401);
  EXPECT_EQ(with_token(Method::post, "/v1/token/refresh", removing).status, 401);
  EXPECT_EQ(with_token(Method::delete_, path_to(ada_.handle()), removing).status, 204);
  const AccountOwner next("ada@example.org");
  EXPECT_EQ(put(next, next.bytes()).status, 201);
  EXPECT_EQ(with_token(Method::get, "/v1/me", fresh).status, 401) << "another account's token";
}

TEST_F(AccountRoutes, PoliciesForNewAccounts) {
  ApiOptions closed = options();
  closed.sign_up = SignUpPolicy::closed;
  use(closed);
  EXPECT_EQ(put(ada_, ada_.bytes()).status, 403);
  ApiOptions invited = options();
  invited.sign_up = SignUpPolicy::invite;
  use(invited);
  EXPECT_EQ(put(ada_, ada_.bytes()).status, 403);
  ASSERT_TRUE(run_task(io_, accounts_.add_invite("*", sha256_of(as_bytes("the code")),
                                                 clock_.in(std::chrono::seconds(1))))
                  .has_value());
  EXPECT_EQ(put(ada_, ada_.bytes(), {{"Cairn-Invite", "another"}}).status, 403);
  EXPECT_EQ(put(ada_, ada_.bytes(), {{"Cairn-Invite", "the code"}}).status, 201);
  EXPECT_EQ(put(ada_, ada_.next()).status, 201);
  const AccountOwner bob("bob");
  EXPECT_EQ(put(bob, bob.bytes(), {{"Cairn-Invite", "the code"}}).status, 403);
}

TEST_F(AccountRoutes, WritesOfASiteForAccountsNeedAToken) {
  put(ada_, ada_.bytes());
  ApiOptions limited = options();
  limited.write = WritePolicy::accounts;
  use(limited);
  const std::string target = "/v1/blocks/" + block_id_of(as_bytes("x")).text();
  const Call bare{.method = Method::put, .target = target, .body = "x"};
  EXPECT_TRUE(call(bare).is_problem("login-needed"));
  EXPECT_TRUE(with_token(Method::put, target, "nonsense", "x").is_problem("bad-token"));
  const std::string removing = token_of(ada_, LoginAction::remove);
  EXPECT_EQ(with_token(Method::put, target, removing, "x").status, 401);
  EXPECT_EQ(with_token(Method::put, target, token_of(ada_), "x").status, 201);
  const ChainWorld world;
  EXPECT_EQ(with_token(Method::put, path_of(world), token_of(ada_),
                       std::string(as_text(world.manifest())))
                .status,
            201);
  EXPECT_EQ(call({.target = path_of(world)}).status, 200) << "reading needs none";
}

TEST_F(AccountRoutes, BlockedAccountsGetNoTokens) {
  put(ada_, ada_.bytes());
  const std::string token = token_of(ada_);
  const Deadline soon = clock_.in(std::chrono::seconds(1));
  ASSERT_TRUE(run_task(io_, accounts_.set_blocked({"*", ada_.handle()}, true, soon)).has_value());
  EXPECT_TRUE(log_in(ada_).is_problem("account-blocked"));
  EXPECT_TRUE(with_token(Method::post, "/v1/token/refresh", token).is_problem("account-blocked"));
}

TEST_F(AccountRoutes, HandlesAndBodiesOfOtherFormsAreRefused) {
  for (const char* handle :
       {"", "ab", "Ada", "ada%", "ada%4", "ada%zz", "-ada", "ada%2f", "ada..", "%00ada"}) {
    EXPECT_EQ(post(path_to(handle) + "/challenge", "").status, 400) << handle;
  }
  put(ada_, ada_.bytes());
  const std::string target = path_to(ada_.handle()) + "/login";
  const std::string good = login_body(ada_, nonce_for(ada_.handle()));
  for (const std::string& body :
       {std::string("{}"), std::string("[]"), good.substr(1), good + "x",
        "{\"action\":\"login\"," + good.substr(1), std::string(2'000, '[')}) {
    EXPECT_EQ(post(target, body).status, 400) << body;
  }
}

TEST(RateLimiterTest, ManyAtOnceThenSoManyAMinute) {
  HandClock clock;
  SystemRandom random;
  RateLimiter limiter(6, clock, random);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(limiter.allow("192.0.2.1"));
  EXPECT_FALSE(limiter.allow("192.0.2.1"));
  EXPECT_TRUE(limiter.allow("192.0.2.2"));
  clock.pass(std::chrono::seconds(10));
  EXPECT_TRUE(limiter.allow("192.0.2.1"));
  EXPECT_FALSE(limiter.allow("192.0.2.1"));
  EXPECT_EQ(network_of("2001:db8:1:2:3:4:5:6"), network_of("2001:db8:1:2:ffff::1"));
  EXPECT_NE(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:3::1"));
  EXPECT_EQ(network_of("2001:db8::1"), network_of("2001:db8::2"));
  EXPECT_EQ(network_of("2001:db8::a:1:1:1"), network_of("2001:db8::b:1:1:1"));
  EXPECT_NE(network_of("::ffff:192.0.2.1"), network_of("::ffff:192.0.2.2"));
  EXPECT_EQ(network_of("192.0.2.1"), "192.0.2.1");
}

}  // namespace
}  // namespace cairn::api
