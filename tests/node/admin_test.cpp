#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <set>
#include <sstream>

#include "base/clock.h"
#include "crypto/random.h"
#include "node/admin_handler.h"
#include "node/metrics.h"
#include "node/open_metrics.h"
#include "tests/fakes/memory_account_store.h"
#include "tests/fakes/memory_block_store.h"
#include "tests/node/http/requests.h"

namespace cairn {
namespace {

using http::Method;
using http::TestRequest;
using ::testing::HasSubstr;
using ::testing::Not;

class FakeNode final : public Operated {
 public:
  Snapshot snapshot() const override { return now; }
  std::string config_json() const override { return "{\"cache.memory\":1}"; }
  bool start_gc() override {
    collections += gc_on ? 1 : 0;
    return gc_on;
  }
  bool start_scrub() override {
    scrubs += scrub_on ? 1 : 0;
    return scrub_on;
  }

  Snapshot now;
  bool scrub_on = true;
  bool gc_on = true;
  int collections = 0;
  int scrubs = 0;
};

class AdminTest : public ::testing::Test {
 protected:
  AdminTest() { node_.now.phase = NodePhase::ready; }

  /// Asks; the body is in body_.
  int ask(Method method, const std::string& target,
          std::initializer_list<std::pair<std::string_view, std::string_view>> fields = {},
          const std::string& host = "127.0.0.1") {
    AdminHandler handler(node_, accounts_, cache_admin_, AdminHandler::Remote::refused);
    TestRequest request(method, target, fields);
    request.edit().host = host;
    response_.clear();
    EXPECT_TRUE(handler.try_handle(request, response_));
    body_ = response_.pieces.empty() ? "" : std::string(as_text(response_.pieces[0].bytes()));
    return response_.status;
  }
  int get(const std::string& target) { return ask(Method::get, target); }

  FakeNode node_;
  MemoryAccountStore store_;
  SystemClock clock_;
  SystemRandom random_;
  AccountAdmin accounts_{store_, clock_, random_};
  MemoryBlockStore blocks_{clock_};
  MemoryTier tier_{{.budget_bytes = std::size_t{1} << 20}, blocks_, clock_, random_};
  WatchedStore watched_{tier_, std::size_t{1} << 20, clock_, random_};
  std::vector<CacheAdmin::Change> changes_;
  CacheAdmin cache_admin_{tier_, watched_,
                          [this](const CacheAdmin::Change& wanted) { changes_.push_back(wanted); },
                          clock_};
  http::Response response_;
  std::string body_;
};

TEST_F(AdminTest, ReadinessFollowsThePhaseAndLivenessDoesNot) {
  EXPECT_EQ(get("/readyz"), 200);
  for (const NodePhase phase : {NodePhase::starting, NodePhase::draining}) {
    node_.now.phase = phase;
    EXPECT_EQ(get("/readyz"), 503);
    EXPECT_EQ(body_, std::string(name_of(phase)) + "\n");
    EXPECT_EQ(get("/livez"), 200);
  }
}

TEST_F(AdminTest, HealthNamesWhatFails) {
  EXPECT_EQ(get("/healthz"), 200);
  EXPECT_EQ(body_, "ok\n");
  EXPECT_EQ(get("/healthz?verbose"), 200);
  EXPECT_THAT(body_, HasSubstr("ok   disk:"));
  node_.now.storage.full = true;
  node_.now.loops_alive = false;
  EXPECT_EQ(get("/healthz"), 503);
  EXPECT_THAT(body_, HasSubstr("FAIL disk:"));
  EXPECT_THAT(body_, HasSubstr("FAIL loops: a core is stuck"));
  EXPECT_THAT(body_, Not(HasSubstr("descriptors")));
}

TEST_F(AdminTest, MetricsComeInBothFormats) {
  EXPECT_EQ(get("/metrics"), 200);
  EXPECT_EQ(response_.fields.find("Content-Type"), kPrometheusType);
  EXPECT_THAT(body_, HasSubstr("# TYPE cairn_http_requests_total counter\n"));
  EXPECT_EQ(ask(Method::get, "/metrics", {{"Accept", kOpenMetricsType}}), 200);
  EXPECT_EQ(response_.fields.find("Content-Type"), kOpenMetricsType);
  EXPECT_THAT(body_, HasSubstr("# TYPE cairn_http_requests counter\n"));
  EXPECT_TRUE(body_.ends_with("\n# EOF\n"));
}

TEST_F(AdminTest, StatusIsJsonOfTheSnapshot) {
  node_.now.cache.hits = 7;
  EXPECT_EQ(get("/admin/v1/status"), 200);
  const auto parsed = boost::json::parse(body_);
  EXPECT_EQ(parsed.at("phase").as_string(), "ready");
  EXPECT_EQ(parsed.at("cache").at("hits").to_number<int>(), 7);
  EXPECT_EQ(get("/admin/v1/config"), 200);
  EXPECT_EQ(body_, "{\"cache.memory\":1}\n");
}

TEST_F(AdminTest, ScrubStartsByPostAlone) {
  EXPECT_EQ(get("/admin/v1/scrub"), 200);
  EXPECT_EQ(node_.scrubs, 0);
  EXPECT_EQ(ask(Method::post, "/admin/v1/scrub"), 202);
  EXPECT_EQ(node_.scrubs, 1);
}

TEST_F(AdminTest, ScrubThatIsOffIsRefusedByItsKey) {
  node_.scrub_on = false;
  EXPECT_EQ(ask(Method::post, "/admin/v1/scrub"), 409);
  EXPECT_THAT(body_, HasSubstr("storage.scrub_rate"));
}

TEST_F(AdminTest, CollectionIsStartedAndToldOrSaidToBeOff) {
  node_.now.storage.gc.erased_bytes = 4711;
  EXPECT_EQ(get("/admin/v1/gc"), 200);
  EXPECT_THAT(body_, HasSubstr("\"erased_bytes\":4711"));
  EXPECT_EQ(ask(Method::post, "/admin/v1/gc"), 202);
  EXPECT_EQ(node_.collections, 1);
  node_.gc_on = false;
  EXPECT_EQ(ask(Method::post, "/admin/v1/gc"), 409);
  EXPECT_THAT(body_, HasSubstr("storage.grace_s"));
}

TEST_F(AdminTest, WrongMethodAndUnknownPathAreRefused) {
  EXPECT_EQ(ask(Method::post, "/metrics"), 405);
  EXPECT_EQ(response_.fields.find("Allow"), "GET, HEAD");
  EXPECT_EQ(ask(Method::delete_, "/admin/v1/scrub"), 405);
  EXPECT_EQ(response_.fields.find("Allow"), "GET, HEAD, POST");
  EXPECT_EQ(get("/v1/blocks/x"), 404);
}

TEST_F(AdminTest, PageOfAnotherSiteIsRefused) {
  EXPECT_EQ(ask(Method::post, "/admin/v1/scrub", {{"Origin", "https://evil.test"}}), 403);
  EXPECT_EQ(ask(Method::get, "/admin/v1/config", {}, "rebound.test"), 403);
  EXPECT_EQ(node_.scrubs, 0);
  EXPECT_EQ(ask(Method::get, "/livez", {}, "[::1]"), 200);
  EXPECT_EQ(ask(Method::get, "/livez", {}, "localhost"), 200);
  AdminHandler remote(node_, accounts_, cache_admin_, AdminHandler::Remote::allowed);
  TestRequest request(Method::get, "/livez");
  request.edit().host = "node-1.internal";
  response_.clear();
  EXPECT_TRUE(remote.try_handle(request, response_));
  EXPECT_EQ(response_.status, 200);
}

TEST(Metrics, NamesAreOursUniqueAndWithUnits) {
  std::set<std::string> names;
  for (const auto& family : metrics_of(Snapshot{})) {
    EXPECT_TRUE(family.name.starts_with("cairn_")) << family.name;
    // OpenMetrics names a counter without its _total: that must be nobody else's name either.
    const std::string bare = family.name.substr(0, family.name.rfind("_total"));
    EXPECT_TRUE(names.insert(bare).second) << family.name;
    EXPECT_FALSE(family.help.empty()) << family.name;
    const bool counter = family.type == prometheus::MetricType::Counter;
    EXPECT_EQ(counter, family.name.ends_with("_total")) << family.name;
  }
  EXPECT_GT(names.size(), 40U);
}

TEST(Metrics, LatencyBucketsAreCumulativeAndEndInInfinity) {
  Snapshot snapshot;
  snapshot.http.latency[0] = 2;
  snapshot.http.latency.back() = 1;
  snapshot.http.latency_sum_us = 1'500'000;
  std::ostringstream out;
  OpenMetricsSerializer().Serialize(out, metrics_of(snapshot));
  EXPECT_THAT(out.str(), HasSubstr("cairn_http_request_seconds_bucket{le=\"2.5e-05\"} 2\n"));
  EXPECT_THAT(out.str(), HasSubstr("cairn_http_request_seconds_bucket{le=\"10\"} 2\n"));
  EXPECT_THAT(out.str(), HasSubstr("cairn_http_request_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(out.str(), HasSubstr("cairn_http_request_seconds_count 3\n"));
  EXPECT_THAT(out.str(), HasSubstr("cairn_http_request_seconds_sum 1.5\n"));
}

TEST(OpenMetrics, LabelsAreEscaped) {
  prometheus::MetricFamily family{"cairn_x", "he\\lp", prometheus::MetricType::Gauge, {}};
  prometheus::ClientMetric metric;
  metric.label.push_back({"a", "q\"\\\n"});
  metric.gauge.value = -1.5;
  family.metric.push_back(metric);
  EXPECT_EQ(
      OpenMetricsSerializer().Serialize({family}),
      "# TYPE cairn_x gauge\n# HELP cairn_x he\\\\lp\ncairn_x{a=\"q\\\"\\\\\\n\"} -1.5\n# EOF\n");
}

}  // namespace
}  // namespace cairn
