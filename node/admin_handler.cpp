#include "node/admin_handler.h"

#include <prometheus/text_serializer.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "node/build_info.h"
#include "node/config_text.h"
#include "node/http/problem.h"
#include "node/metrics.h"
#include "node/open_metrics.h"

namespace cairn {
namespace {

namespace json = boost::json;

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";

void answer(http::Response& response, std::uint16_t status, std::string_view type,
            std::string text) {
  response.set_text(status, type, std::move(text));
  response.fields.add("Cache-Control", "no-store");
  response.fields.add("X-Content-Type-Options", "nosniff");
  response.answered_by = "admin";
}

void answer_json(http::Response& response, std::uint16_t status, const json::object& object) {
  answer(response, status, kJson, json::serialize(object) + "\n");
}

json::object scrub_json(const ScrubProgress& scrub) {
  return {{"running", scrub.under_way},
          {"passes", scrub.passes},
          {"pass_started_ms", static_cast<std::int64_t>(scrub.pass_started)},
          {"pass_finished_ms", static_cast<std::int64_t>(scrub.pass_finished)},
          {"progress", static_cast<double>(scrub.slot) / kSlotCount},
          {"pass_blocks", scrub.pass_blocks},
          {"pass_bytes", scrub.pass_bytes},
          {"pass_corrupt", scrub.pass_corrupt}};
}

json::object gc_json(const GcProgress& gc) {
  return {{"on", gc.on},
          {"running", gc.under_way},
          {"grace_ms", gc.grace_ms},
          {"passes", gc.passes},
          {"pass_started_ms", static_cast<std::int64_t>(gc.pass_started)},
          {"pass_finished_ms", static_cast<std::int64_t>(gc.pass_finished)},
          {"pass_blocks", gc.pass_blocks},
          {"pass_candidates", gc.pass_candidates},
          {"pass_pinned", gc.pass_pinned},
          {"erased_blocks", gc.erased_blocks},
          {"erased_bytes", gc.erased_bytes},
          {"trimmed_links", gc.trimmed_links},
          {"trims_waiting", gc.trims_waiting}};
}

json::object storage_json(const StorageStats& store) {
  return {{"blocks_estimated", store.blocks},
          {"disk_free_bytes", store.disk_free_bytes},
          {"disk_total_bytes", store.disk_total_bytes},
          {"reserve_bytes", store.reserve_bytes},
          {"full", store.full},
          {"stopped", store.stopped},
          {"written_blocks", store.written_blocks},
          {"written_bytes", store.written_bytes},
          {"batches", store.write_batches},
          {"corrupt_reads", store.corrupt_reads},
          {"scrub", scrub_json(store.scrub)},
          {"gc", gc_json(store.gc)}};
}

json::object status_json(const Snapshot& s) {
  return {{"version", kVersion},
          {"revision", kRevision},
          {"phase", std::string(name_of(s.phase))},
          {"uptime_s", s.uptime_s},
          {"connections", s.http.active},
          {"requests", s.http.requests},
          {"resident_bytes", s.process.resident_bytes},
          {"open_descriptors", s.process.open_descriptors},
          {"descriptor_limit", s.process.descriptor_limit},
          {"cache", CacheAdmin::as_json(s.cache)},
          {"storage", storage_json(s.storage)}};
}

/// What a browser can be made to send on behalf of another site.
bool is_foreign(const http::Request& request) {
  if (request.field("Origin")) return true;
  std::string host(request.host);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return !is_loopback({host, 0});
}

bool is_read(http::Method method) {
  return method == http::Method::get || method == http::Method::head;
}

}  // namespace

std::vector<HealthCheck> health_of(const Snapshot& s) {
  std::vector<HealthCheck> out;
  out.push_back({"phase", s.phase == NodePhase::ready, std::string(name_of(s.phase))});
  out.push_back({"loops", s.loops_alive, s.loops_alive ? "every core answers" : "a core is stuck"});
  out.push_back({"storage", !s.storage.stopped,
                 s.storage.stopped ? "writes have stopped after a disk error" : "writes work"});
  out.push_back({"disk", !s.storage.full,
                 byte_size_text(s.storage.disk_free_bytes) + " free, " +
                     byte_size_text(s.storage.reserve_bytes) + " reserved"});
  const bool descriptors = s.process.descriptor_limit == 0 ||
                           s.process.open_descriptors * 10 < s.process.descriptor_limit * 9;
  out.push_back({"descriptors", descriptors,
                 std::to_string(s.process.open_descriptors) + " of " +
                     std::to_string(s.process.descriptor_limit)});
  return out;
}

AdminHandler::AdminHandler(Operated& node, AccountAdmin& accounts, CacheAdmin& cache, Remote remote)
    : node_(node), accounts_(accounts), cache_(cache), remote_(remote) {}

const std::vector<AdminHandler::Route>& AdminHandler::routes() {
  using http::Method;
  static const std::vector<Route> kRoutes{
      {"/livez", Method::get, &AdminHandler::livez},
      {"/readyz", Method::get, &AdminHandler::readyz},
      {"/healthz", Method::get, &AdminHandler::healthz},
      {"/metrics", Method::get, &AdminHandler::metrics},
      {"/admin/v1/status", Method::get, &AdminHandler::status},
      {"/admin/v1/config", Method::get, &AdminHandler::config},
      {"/admin/v1/scrub", Method::get, &AdminHandler::scrub},
      {"/admin/v1/scrub", Method::post, &AdminHandler::start_scrub},
      {"/admin/v1/gc", Method::get, &AdminHandler::gc},
      {"/admin/v1/gc", Method::post, &AdminHandler::start_gc}};
  return kRoutes;
}

bool AdminHandler::try_handle(const http::Request& request, http::Response& response) {
  response.answered_by = "admin";
  if (remote_ == Remote::refused && is_foreign(request)) {
    http::set_problem(response, {.status = 403,
                                 .type = "foreign-origin",
                                 .title = "The operator's listener is not for pages",
                                 .detail = {},
                                 .hint = "Ask it by a loopback address and without Origin."});
    return true;
  }
  if (AccountAdmin::is_for(request.path) || CacheAdmin::is_for(request.path)) {
    response.clear();
    return false;
  }
  std::string allowed;
  for (const Route& route : routes()) {
    if (route.path != request.path) continue;
    if (route.method == request.method || (is_read(route.method) && is_read(request.method))) {
      (this->*route.answer)(request, response);
      return true;
    }
    allowed += allowed.empty() ? "" : ", ";
    allowed += is_read(route.method) ? "GET, HEAD" : http::name_of(route.method);
  }
  if (allowed.empty()) {
    http::set_problem(response, {.status = 404,
                                 .type = "not-found",
                                 .title = "Nothing is here",
                                 .detail = {},
                                 .hint = "See /livez, /readyz, /healthz, /metrics, /admin/v1/…"});
  } else {
    http::set_problem(response, {.status = 405,
                                 .type = "method-not-allowed",
                                 .title = "This method does not work here",
                                 .detail = {},
                                 .hint = {}});
    response.fields.add("Allow", allowed);
  }
  return true;
}

Task<void> AdminHandler::handle(const http::Request& request, http::BodyReader& /*body*/,
                                http::Response& response) {
  if (try_handle(request, response)) co_return;
  if (CacheAdmin::is_for(request.path)) co_return co_await cache_.handle(request, response);
  co_await accounts_.handle(request, response);
}

void AdminHandler::livez(const http::Request& /*request*/, http::Response& response) {
  answer(response, 200, kText, "ok\n");
}

void AdminHandler::readyz(const http::Request& /*request*/, http::Response& response) {
  const NodePhase phase = node_.snapshot().phase;
  answer(response, phase == NodePhase::ready ? 200 : 503, kText,
         std::string(name_of(phase)) + "\n");
}

void AdminHandler::healthz(const http::Request& request, http::Response& response) {
  const std::vector<HealthCheck> checks = health_of(node_.snapshot());
  bool good = true;
  std::string text;
  for (const HealthCheck& check : checks) {
    good = good && check.good;
    if (check.good && request.query != "verbose") continue;
    text += check.good ? "ok   " : "FAIL ";
    text += std::string(check.name) + ": " + check.detail + "\n";
  }
  answer(response, good ? 200 : 503, kText, text + (good ? "ok\n" : "not ok\n"));
}

void AdminHandler::metrics(const http::Request& request, http::Response& response) {
  const NodeMetrics collectable([this] { return node_.snapshot(); });
  const auto accept = request.field("Accept");
  if (accept && accept->find("application/openmetrics-text") != std::string_view::npos) {
    answer(response, 200, kOpenMetricsType,
           OpenMetricsSerializer().Serialize(collectable.Collect()));
  } else {
    answer(response, 200, kPrometheusType,
           prometheus::TextSerializer().Serialize(collectable.Collect()));
  }
}

void AdminHandler::status(const http::Request& /*request*/, http::Response& response) {
  answer_json(response, 200, status_json(node_.snapshot()));
}

void AdminHandler::config(const http::Request& /*request*/, http::Response& response) {
  answer(response, 200, kJson, node_.config_json() + "\n");
}

void AdminHandler::scrub(const http::Request& /*request*/, http::Response& response) {
  answer_json(response, 200, scrub_json(node_.snapshot().storage.scrub));
}

void AdminHandler::start_scrub(const http::Request& /*request*/, http::Response& response) {
  if (node_.start_scrub()) {
    answer_json(response, 202, scrub_json(node_.snapshot().storage.scrub));
    return;
  }
  http::set_problem(response, {.status = 409,
                               .type = "scrub-off",
                               .title = "The scrub is off",
                               .detail = {},
                               .hint = "Set storage.scrub_rate above 0 and restart the node."});
}

void AdminHandler::gc(const http::Request& /*request*/, http::Response& response) {
  answer_json(response, 200, gc_json(node_.snapshot().storage.gc));
}

void AdminHandler::start_gc(const http::Request& /*request*/, http::Response& response) {
  if (node_.start_gc()) {
    answer_json(response, 202, gc_json(node_.snapshot().storage.gc));
    return;
  }
  http::set_problem(response, {.status = 409,
                               .type = "gc-off",
                               .title = "Blocks are kept for ever",
                               .detail = {},
                               .hint = "Set storage.grace_s above 0 and restart the node."});
}

}  // namespace cairn
