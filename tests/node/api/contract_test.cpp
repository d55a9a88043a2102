// docs/openapi.yaml against the code, in both directions. (Every answer of every other test is held
// against it too: see ApiTest::call.)
#include "tests/node/api/contract.h"

#include "crypto/hash.h"
#include "node/api/openapi.h"
#include "tests/conformance/account_owner.h"
#include "tests/node/api/api_harness.h"

namespace cairn::api {
namespace {

using http::Framing;
using http::Method;

TEST(Contract, EveryRouteIsDocumentedAndEveryDocumentedRouteExists) {
  std::set<std::string> routes;
  for (const Route& route : kRoutes) {
    for (const Method method : {Method::get, Method::head, Method::put, Method::post, Method::patch,
                                Method::delete_, Method::options}) {
      if (takes(route, method)) {
        routes.insert(std::string(http::name_of(method)) + " " + std::string(route.path));
      }
    }
  }
  EXPECT_EQ(routes, Contract::served().operations());
}

TEST(Contract, NoReferenceLeadsNowhere) {
  EXPECT_EQ(Contract::served().dangling(), std::set<std::string>{});
}

/// Brings about every outcome that the API has.
class EveryOutcome : public ApiTest {
 protected:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  EveryOutcome() {
    held_ = hold("held");
    for (const ChainWorld* world : {&chain_, &gated_, &ended_}) make(*world);
    const Bytes last = ended_.remove();
    call({.method = Method::post,
          .target = path_of(ended_) + "/links",
          .body = frame(as_text(last))});
  }

  static std::string text(const Bytes& bytes) { return std::string(as_text(bytes)); }

  std::string path(const BlockId& id) { return "/v1/blocks/" + id.text(); }

  void reads() {
    const BlockId gone = block_id_of(as_bytes("gone"));
    const std::string tag = "\"" + held_.text() + "\"";
    for (const Method method : {Method::get, Method::head}) {
      call({.method = method, .target = path(held_)});
      call({.method = method, .target = path(held_), .fields = {{"If-None-Match", tag}}});
      call({.method = method, .target = path(held_), .fields = {{"If-Match", "\"other\""}}});
      call({.method = method, .target = path(gone)});
      call({.method = method, .target = "/v1/blocks/xyz"});
      call({.method = method, .target = "/v1/openapi.json"});
      call({.method = method, .target = "/v1/openapi.json", .fields = {{"If-None-Match", "*"}}});
      call({.method = method, .target = "/v1/openapi.json", .fields = {{"If-Match", "\"x\""}}});
      store_.set_failure(Errc::unavailable);
      call({.method = method, .target = path(held_)});
      store_.set_failure(Errc::corrupt);
      call({.method = method, .target = path(held_)});
      store_.set_failure(std::nullopt);
    }
    get(held_, {{"Range", "bytes=0-1"}});
    get(held_, {{"Range", "bytes=9-"}});
  }

  /// What `put`, `post` and `batch` have in common; `body` is a good one.
  void writes(Method method, const std::string& target, const std::string& body) {
    const Call good{.method = method, .target = target, .body = body};
    auto with = [&](auto change) {
      Call changed = good;
      change(changed);
      call(changed);
    };
    call(good);
    call(good);
    with([](Call& c) { c.body_failure = Errc::malformed, c.framing = Framing::chunked; });
    with([](Call& c) { c.body_failure = Errc::unavailable, c.framing = Framing::chunked; });
    with([](Call& c) { c.framing = Framing::none; });
    with([](Call& c) { c.declared = std::uint64_t{1} << 40; });
    with([](Call& c) { c.fields = {{"Content-Encoding", "gzip"}}; });
    with([](Call& c) { c.body = ""; });
    store_.set_failure(Errc::full);
    with([](Call&) {});
    store_.set_failure(Errc::overloaded);
    with([](Call&) {});
    store_.set_failure(std::nullopt);
    {
      const ByteBudget::Share all = budget_.take(budget_.limit_bytes());
      with([](Call&) {});
    }
    for (const WritePolicy policy : {WritePolicy::accounts, WritePolicy::nobody}) {
      ApiOptions closed = options();
      closed.write = policy;
      use(closed);
      with([](Call&) {});
    }
    use(options());
  }

  void lists(const std::string& target) {
    const Call good{.method = Method::post, .target = target, .body = id_list({held_})};
    auto with = [&](auto change) {
      Call changed = good;
      change(changed);
      call(changed);
    };
    call(good);
    with([](Call& c) { c.body = "[]"; });
    with([](Call& c) { c.body_failure = Errc::unavailable, c.framing = Framing::chunked; });
    with([](Call& c) { c.framing = Framing::none; });
    with([](Call& c) { c.declared = std::uint64_t{1} << 40; });
    with([](Call& c) { c.fields = {{"Content-Type", "text/plain"}}; });
    store_.set_failure(Errc::unavailable);
    with([](Call&) {});
    store_.set_failure(std::nullopt);
    ByteBudget none(0);
    use(store_, none);
    with([](Call&) {});
    use(options());
  }

  void chain_reads() {
    const Call good{.target = path_of(chain_)};
    for (const Method method : {Method::get, Method::head}) {
      for (const char* part : {"", "/manifest", "/links", "/events"}) {
        const auto ask = [&](const std::string& target, Fields fields = {}) {
          if (method == Method::get || std::string_view(part) != "/events") {
            call({.method = method, .target = target + part, .fields = std::move(fields)});
          }
        };
        ask(path_of(ended_), {{"Last-Event-ID", "0"}});
        ask(path_of(gated_));
        ask(path_of(ChainWorld()));
        ask("/v1/chains/xyz");
        for (const Errc code : {Errc::corrupt, Errc::unavailable}) {
          chains_.set_failure(code);
          ask(path_of(chain_));
          chains_.set_failure(std::nullopt);
        }
      }
      const std::string tag = '"' + chain_.state().head.text() + '"';
      call({.method = method, .target = good.target, .fields = {{"If-None-Match", tag}}});
      call({.method = method, .target = good.target, .fields = {{"If-Match", "\"x\""}}});
      call({.method = method, .target = good.target + "/links?limit=0"});
    }
  }

  /// What making and extending a chain have in common; `good` succeeds.
  void chain_writes(const Call& good) {
    auto with = [&](auto change) {
      Call changed = good;
      change(changed);
      call(changed);
    };
    call(good);
    with([](Call& c) { c.body_failure = Errc::malformed, c.framing = Framing::chunked; });
    with([](Call& c) { c.body_failure = Errc::unavailable, c.framing = Framing::chunked; });
    with([](Call& c) { c.framing = Framing::none; });
    with([](Call& c) { c.declared = std::uint64_t{1} << 40; });
    with([](Call& c) { c.fields = {{"Content-Encoding", "gzip"}}; });
    for (const Errc code : {Errc::full, Errc::overloaded}) {
      chains_.set_failure(code);
      call(good);
      chains_.set_failure(std::nullopt);
    }
    for (const WritePolicy policy : {WritePolicy::accounts, WritePolicy::nobody}) {
      ApiOptions closed = options();
      closed.write = policy;
      use(closed);
      call(good);
    }
    use(options());
  }

  void creates() {
    const ChainWorld fresh;
    const Call good{
        .method = Method::put, .target = path_of(fresh), .body = text(fresh.manifest())};
    chain_writes(good);
    call(good);
    call({.method = Method::put, .target = path_of(ended_), .body = text(ended_.manifest())});
    call({.method = Method::put, .target = path_of(fresh), .body = "other"});
  }

  void appends() {
    const std::string target = path_of(chain_) + "/links";
    const auto post_links = [&](const std::string& to, const Bytes& link) {
      call({.method = Method::post, .target = to, .body = frame(as_text(link))});
    };
    ChainWorld other = chain_;
    const Bytes theirs = other.next({}, {}, "theirs");
    const Bytes ours = chain_.next();
    chain_writes({.method = Method::post, .target = target, .body = frame(as_text(ours))});
    post_links(target, ours);
    post_links(target, theirs);
    post_links(target, Bytes(10, 1));
    Bytes forged = chain_.beside();
    forged.back() ^= 1;
    post_links(target, forged);
    post_links(target, chain_.beside({}, {block_id_of(as_bytes("gone"))}));
    ChainWorld unknown;
    post_links(path_of(unknown) + "/links", unknown.next());
    post_links(path_of(ended_) + "/links", ended_.beside());
    call({.method = Method::post, .target = target, .body = "abc"});
    chains_.set_failure(Errc::corrupt);
    post_links(target, ours);
    chains_.set_failure(std::nullopt);
  }

  void lives() {
    const std::string body = "{\"" + ChainWorld().id().text() + "\":0}";
    const Call good{.method = Method::post, .target = "/v1/live", .body = body};
    auto with = [&](auto change) {
      Call changed = good;
      change(changed);
      call(changed);
    };
    call(good);
    with([](Call& c) { c.body = "[]"; });
    with([](Call& c) { c.body_failure = Errc::unavailable, c.framing = Framing::chunked; });
    with([](Call& c) { c.framing = Framing::none; });
    with([](Call& c) { c.declared = std::uint64_t{1} << 40; });
    with([](Call& c) { c.fields = {{"Content-Type", "text/plain"}}; });
    const ByteBudget::Share all = budget_.take(budget_.limit_bytes());
    call(good);
  }

  void accounts() {
    AccountOwner ada("ada");
    const std::string target = "/v1/accounts/ada";
    const Call good{.method = Method::put, .target = target, .body = text(ada.bytes())};
    body_faults(good);
    call(good);
    call({.method = Method::put, .target = "/v1/accounts/A", .body = good.body});
    const AccountOwner other("ada");
    call({.method = Method::put, .target = target, .body = text(other.bytes())});
    call({.method = Method::put, .target = target, .body = "x"});
    ApiOptions closed = options();
    closed.sign_up = SignUpPolicy::closed;
    use(closed);
    const AccountOwner late("late");
    call({.method = Method::put, .target = "/v1/accounts/late", .body = text(late.bytes())});
    use(options());
    failing({Errc::full, Errc::overloaded, Errc::corrupt}, good);
    const auto challenge = call({.method = Method::post, .target = target + "/challenge"});
    call({.method = Method::post, .target = "/v1/accounts/A/challenge"});
    failing({Errc::unavailable, Errc::corrupt},
            {.method = Method::post, .target = target + "/challenge"});
    logins(ada);
  }

  void logins(const AccountOwner& ada) {
    const std::string target = "/v1/accounts/ada";
    const auto log_in = [&](LoginAction action) {
      const std::string nonce = challenges_.make("*", "ada", clock_.wall(), random_);
      const Call login{.method = Method::post,
                       .target = target + "/login",
                       .body = "{\"nonce\":\"" + nonce + "\",\"key\":\"" +
                               to_base64url(ada.slot_key().public_key().bytes) +
                               "\",\"signature\":\"" +
                               to_base64url(ada.sign_login("site.test", nonce, action).bytes) +
                               "\",\"action\":\"" + std::string(name_of(action)) + "\"}"};
      return login;
    };
    const Call login = log_in(LoginAction::login);
    body_faults(login);
    call(login);
    call({.method = Method::post, .target = target + "/login", .body = "{}"});
    failing({Errc::unavailable, Errc::corrupt}, log_in(LoginAction::login));
    const std::string token = token_in(call(log_in(LoginAction::login)));
    const std::string removing = token_in(call(log_in(LoginAction::remove)));
    const auto bearing = [](Method method, std::string to, const std::string& bearer) {
      return Call{.method = method,
                  .target = std::move(to),
                  .fields = {{"Authorization", "Bearer " + bearer}}};
    };
    const std::vector<Call> calls{
        bearing(Method::post, "/v1/token/refresh", token), bearing(Method::get, "/v1/me", token),
        bearing(Method::head, "/v1/me", token), bearing(Method::delete_, target, removing)};
    for (const Call& one : calls) {
      failing({Errc::unavailable, Errc::corrupt}, one);
      call({.method = one.method, .target = one.target});
    }
    block(true);
    call(log_in(LoginAction::login));
    call(calls[0]);
    block(false);
    too_often({calls[0],
               calls[3],
               log_in(LoginAction::login),
               {.method = Method::post, .target = target + "/challenge"},
               {.method = Method::put, .target = target, .body = text(ada.bytes())}});
    call(bearing(Method::delete_, "/v1/accounts/A", removing));
    for (const Call& one : calls) call(one);
  }

  void block(bool blocked) {
    ASSERT_TRUE(run_task(io_, accounts_.set_blocked({"*", "ada"}, blocked,
                                                    clock_.in(std::chrono::seconds(1))))
                    .has_value());
  }
  static std::string token_in(const Answer& answer) {
    const std::size_t at = answer.body.find("\"token\":\"") + 9;
    return answer.body.substr(at, answer.body.find('"', at) - at);
  }
  void failing(std::initializer_list<Errc> codes, const Call& one) {
    for (const Errc code : codes) {
      accounts_.set_failure(code);
      call(one);
      accounts_.set_failure(std::nullopt);
    }
  }
  void too_often(const std::vector<Call>& calls) {
    RateLimiter none(1, clock_, random_);
    none.allow("192.0.2.1");
    AccountWorld all{accounts_, tokens_, challenges_, used_, none, none, random_};
    api_ = std::make_unique<SiteApi>(ApiWorld{store_, chains_, receipts_, budget_, clock_, all},
                                     options());
    for (const Call& one : calls) call(one);
    use(options());
  }
  /// `good` with each fault that a body can have, and no room for it.
  void body_faults(const Call& good) {
    auto with = [&](auto change) {
      Call changed = good;
      change(changed);
      call(changed);
    };
    call(good);
    with([](Call& c) { c.body_failure = Errc::unavailable, c.framing = Framing::chunked; });
    with([](Call& c) { c.framing = Framing::none; });
    with([](Call& c) { c.declared = std::uint64_t{1} << 40; });
    with([](Call& c) { c.fields = {{"Content-Encoding", "gzip"}}; });
    const ByteBudget::Share all = budget_.take(budget_.limit_bytes());
    call(good);
  }

  BlockId held_;
  ChainWorld chain_;
  ChainWorld gated_{Reads::gated};
  ChainWorld ended_;
};

TEST_F(EveryOutcome, DocumentedIsReachedAndReachedIsDocumented) {
  reads();
  writes(Method::put, path(block_id_of(as_bytes("new"))), "new");
  call({.method = Method::put, .target = "/v1/blocks/xyz", .body = "new"});
  call({.method = Method::put,
        .target = path(held_),
        .fields = {{"If-None-Match", "*"}},
        .body = "held"});
  writes(Method::post, "/v1/blocks", "newer");
  writes(Method::post, "/v1/blocks/batch", frame("newest"));
  call({.method = Method::post, .target = "/v1/blocks/batch", .body = "abc"});
  lists("/v1/blocks/missing");
  lists("/v1/blocks/fetch");
  chain_reads();
  creates();
  appends();
  lives();
  accounts();
  for (const Method method : {Method::get, Method::head}) {
    call({.method = method, .target = "/v1/node"});
    call({.method = method, .target = "/v1/node", .fields = {{"If-None-Match", "*"}}});
    call({.method = method, .target = "/v1/node", .fields = {{"If-Match", "\"x\""}}});
  }
  for (const Route& route : kRoutes) {
    call({.method = Method::options, .target = std::string(route.path)});
  }
  const std::set<Contract::Outcome> promised = Contract::served().outcomes();
  for (const auto& [method, path, status] : promised) {
    EXPECT_TRUE(outcomes_.contains({method, path, status}))
        << method << " " << path << " never answered " << status;
  }
  EXPECT_EQ(outcomes_.size(), promised.size());
}

using ServedContract = ApiTest;

TEST_F(ServedContract, IsTheDocumentWithATagThatRevalidates) {
  const Answer first = call({.target = "/v1/openapi.json"});
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, openapi_json());
  EXPECT_EQ(first.field("Content-Type"), "application/json");
  const Answer again =
      call({.target = "/v1/openapi.json", .fields = {{"If-None-Match", first.field("ETag")}}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
}

using Routing = ApiTest;

TEST_F(Routing, UnknownPathGives404) {
  for (const char* target : {"/v1/", "/v1/block", "/v1/blocks/a/b", "/v1/blocksx",
                             "/v1/openapi.yaml", "/v1//blocks", "/v2/blocks"}) {
    const Answer answer = call({.target = target});
    EXPECT_EQ(answer.status, 404) << target;
    EXPECT_TRUE(answer.is_problem("no-such-route")) << target;
  }
}

TEST_F(Routing, MethodNotTakenGives405WithAllow) {
  const Answer answer = call({.method = Method::delete_, .target = "/v1/blocks/missing"});
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.field("Allow"), "POST, OPTIONS");
  EXPECT_EQ(call({.method = Method::get, .target = "/v1/blocks"}).status, 405);
  EXPECT_EQ(call({.method = Method::post, .target = "/v1/blocks/xyz", .body = "x"}).field("Allow"),
            "GET, HEAD, PUT, OPTIONS");
}

TEST_F(Routing, QueryIsNoPartOfThePath) {
  const BlockId id = hold("x");
  EXPECT_EQ(call({.target = "/v1/blocks/" + id.text() + "?a=b/c"}).status, 200);
}

}  // namespace
}  // namespace cairn::api
