#include "node/cache_admin.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/block_id_text.h"
#include "node/config_schema.h"
#include "node/config_text.h"
#include "node/http/percent.h"
#include "node/http/problem.h"

namespace cairn {
namespace {

namespace json = boost::json;

constexpr std::string_view kCache = "/admin/v1/cache";
constexpr std::chrono::seconds kPatience{10};
constexpr std::array kAllSources{Source::memory, Source::disk, Source::storage, Source::peer};

void answer(http::Response& response, const json::object& object) {
  response.set_text(200, "application/json", json::serialize(object) + "\n");
  response.fields.add_lines("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
  response.answered_by = "admin";
}

void refuse(http::Response& response, std::uint16_t status, std::string_view type,
            std::string_view title, std::string_view hint) {
  http::set_problem(response,
                    {.status = status, .type = type, .title = title, .detail = {}, .hint = hint});
  response.answered_by = "admin";
}

json::object as_json(const SourceMeter::Figures& figures) {
  json::array latency;
  for (const std::uint64_t count : figures.latency) latency.emplace_back(count);
  return {{"requests", figures.requests},
          {"bytes", figures.bytes},
          {"p50_us", percentile_us(figures, 0.5)},
          {"p99_us", percentile_us(figures, 0.99)},
          {"latency", std::move(latency)}};
}

json::array as_json(const WhatIf::Curve& curve) {
  json::array out;
  for (const WhatIf::Point& point : curve.points) {
    out.push_back(json::object{{"budget_bytes", point.budget_bytes},
                               {"hits", point.hits},
                               {"hit_bytes", point.hit_bytes}});
  }
  return out;
}

const WhatIf::Point* at_budget(const WhatIf::Curve& curve, std::size_t budget_bytes) {
  const WhatIf::Point* nearest = nullptr;
  for (const WhatIf::Point& point : curve.points) {
    if (point.budget_bytes <= budget_bytes) nearest = &point;
  }
  return nearest;
}

std::string percent(double share) {
  const auto tenths = static_cast<long>(std::lround(std::abs(share) * 1'000));
  return (share < 0 ? "-" : "+") + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) +
         " % hits";
}

/// "256MiB more memory: +3.1 % hits, -40.0 MB/s from storage"
std::string sentence(const std::string& what, const WhatIf::Point& now, const WhatIf::Point& then,
                     double bytes_per_s) {
  const double saved = (then.hit_bytes - now.hit_bytes) * bytes_per_s / 1e6;
  const auto tenths = static_cast<long>(std::lround(std::abs(saved) * 10));
  return what + ": " + percent(then.hits - now.hits) + ", " + (saved < 0 ? "+" : "-") +
         std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MB/s from storage";
}

}  // namespace

json::object CacheAdmin::as_json(const CacheStats& cache) {
  const double age_s = cache.evictions == 0 ? 0.0
                                            : static_cast<double>(cache.evicted_age_ms_total) /
                                                  1e3 / static_cast<double>(cache.evictions);
  return {{"budget_bytes", cache.budget_bytes},
          {"used_bytes", cache.used_bytes},
          {"overhead_bytes", cache.overhead_bytes},
          {"blocks", cache.objects},
          {"hits", cache.hits},
          {"hit_bytes", cache.hit_bytes},
          {"misses", cache.misses},
          {"coalesced", cache.coalesced},
          {"inserts", cache.inserts},
          {"evictions", cache.evictions},
          {"evicted_unread", cache.evicted_unread},
          {"evicted_after_s", age_s},
          {"not_admitted", cache.refused}};
}

Task<void> CacheAdmin::handle(const http::Request& request, http::Response& response) {
  const std::string_view rest = request.path.substr(kCache.size());
  const bool reads = request.method == http::Method::get || request.method == http::Method::head;
  if (rest.empty() && request.method == http::Method::post) co_return change(request, response);
  if (rest.empty() && reads) co_return answer(response, stats());
  if (rest == "/curve" && reads) co_return answer(response, curve());
  if (rest == "/top" && reads) co_return top(request, response);
  if (rest == "/why" && reads) {
    auto id = http::query_value(request.query, "id");
    co_return co_await why(std::move(id).value_or(std::string()), response);
  }
  const bool known = rest.empty() || rest == "/curve" || rest == "/top" || rest == "/why";
  if (!known) {
    co_return refuse(response, 404, "not-found", "Nothing is here",
                     "See /admin/v1/cache, and below it /top, /curve and /why?id=.");
  }
  refuse(response, 405, "method-not-allowed", "This method does not work here", {});
  response.fields.add("Allow", rest.empty() ? "GET, HEAD, POST" : "GET, HEAD");
}

json::object CacheAdmin::stats() const {
  json::object out = as_json(memory_.stats());
  out["policy"] = name_of(memory_.policy());
  const SourceMeter::Snapshot sources = watched_.sources();
  json::object by_source;
  for (const Source source : kAllSources) {
    by_source[name_of(source)] = cairn::as_json(sources[static_cast<std::size_t>(source)]);
  }
  out["sources"] = std::move(by_source);
  json::array bounds;
  for (const std::uint32_t bound : SourceMeter::kBoundsUs) bounds.emplace_back(bound);
  out["latency_bounds_us"] = std::move(bounds);
  return out;
}

json::object CacheAdmin::curve() {
  const WhatIf::Report report = watched_.what_if();
  const std::size_t budget = memory_.stats().budget_bytes;
  const double per_s = 1.0 / std::max(1.0, report.window_s);
  json::object curves;
  json::array advice;
  const WhatIf::Point* now = nullptr;
  for (const WhatIf::Curve& curve : report.curves) {
    curves[name_of(curve.policy)] = cairn::as_json(curve);
    if (curve.policy == memory_.policy()) now = at_budget(curve, budget);
  }
  for (const WhatIf::Curve& curve : report.curves) {
    if (now == nullptr || report.requests < 1) break;
    const double bytes_per_s = report.bytes * per_s;
    if (curve.policy != memory_.policy()) {
      const WhatIf::Point* then = at_budget(curve, budget);
      advice.emplace_back(
          sentence("policy " + std::string(name_of(curve.policy)), *now, *then, bytes_per_s));
      continue;
    }
    for (const WhatIf::Point& then : curve.points) {
      if (then.budget_bytes == now->budget_bytes) continue;
      const bool more = then.budget_bytes > now->budget_bytes;
      const std::size_t by =
          more ? then.budget_bytes - now->budget_bytes : now->budget_bytes - then.budget_bytes;
      advice.emplace_back(sentence(byte_size_text(by) + (more ? " more memory" : " less memory"),
                                   *now, then, bytes_per_s));
    }
  }
  return {{"budget_bytes", budget},
          {"policy", name_of(memory_.policy())},
          {"window_s", report.window_s},
          {"requests_per_s", report.requests * per_s},
          {"bytes_per_s", report.bytes * per_s},
          {"sampled_one_in", report.one_in},
          {"sampled_ids", report.sampled_ids},
          {"overhead_bytes", report.overhead_bytes},
          {"curves", std::move(curves)},
          {"advice", std::move(advice)}};
}

void CacheAdmin::top(const http::Request& request, http::Response& response) {
  const auto text = http::query_value(request.query, "n");
  std::size_t most = 20;
  if (text && !text->empty()) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), most);
    if (error != std::errc{} || end != text->data() + text->size() || most == 0) {
      return refuse(response, 400, "bad-query", "n is a count from 1", {});
    }
  }
  json::array blocks;
  for (const TopList::Entry& entry : watched_.top().top(most)) {
    blocks.push_back(json::object{{"id", entry.id.text()},
                                  {"per_second", entry.per_second},
                                  {"error_per_second", entry.error_per_second},
                                  {"size", entry.size_bytes},
                                  {"source", name_of(entry.source)},
                                  {"in_memory", memory_.holds(entry.id)}});
  }
  answer(response, {{"blocks", std::move(blocks)}});
}

Task<void> CacheAdmin::why(std::string id_text, http::Response& response) {
  const auto id = parse_block_id(id_text);
  if (!id) {
    co_return refuse(response, 400, "bad-id", "This is not a block's id",
                     "Ask with id= and 64 lower-case hexadecimal digits.");
  }
  const bool in_memory = memory_.holds(*id);
  const Deadline deadline = clock_.in(kPatience);
  const Result<BlockStat> stat = co_await watched_.stat(*id, deadline);
  const bool stored = stat.has_value();
  if (!stored && stat.error().code != Errc::not_found && stat.error().code != Errc::corrupt) {
    co_return refuse(response, 503, "unavailable", "The store does not answer",
                     "Try again; see the event log.");
  }
  const TopList::Entry asked = watched_.top().find(*id);
  const CacheStats stats = memory_.stats();
  std::string words;
  if (in_memory) {
    words = "in memory";
  } else if (!stored) {
    words = stat.error().code == Errc::corrupt ? "its bytes are damaged; put it again to repair it"
                                               : "no block of this id is stored here";
  } else if (stats.budget_bytes == 0) {
    words = "nothing is kept in memory: cache.memory is 0";
  } else if (stat.value().size_bytes > memory_.largest_bytes()) {
    words = "too large for memory: a block of over a quarter of cache.memory is not kept";
  } else if (stats.evictions == 0) {
    words = "not asked for since the node started; nothing has had to leave memory yet";
  } else {
    const std::uint64_t age_s = stats.evicted_age_ms_total / stats.evictions / 1000;
    words = "not asked for lately: blocks leave memory some " + std::to_string(age_s) +
            " s after they were last needed";
  }
  json::object out{{"id", id->text()},
                   {"in_memory", in_memory},
                   {"stored", stored},
                   {"per_second", asked.per_second},
                   {"words", words}};
  if (stored) out["size"] = stat.value().size_bytes;
  answer(response, out);
}

void CacheAdmin::change(const http::Request& request, http::Response& response) {
  const auto memory = http::query_value(request.query, "memory");
  const auto policy = http::query_value(request.query, "policy");
  if (!memory || !policy || (memory->empty() && policy->empty())) {
    return refuse(response, 400, "bad-query", "Nothing to change is named",
                  "Say memory= (as 2GiB), policy= (lru or s3-fifo), or both.");
  }
  Change wanted;
  if (!memory->empty()) {
    const auto bytes = parse_byte_size(*memory);
    if (!bytes || *bytes > find_key("cache", "memory")->most) {
      return refuse(response, 400, "bad-query", "memory is not a size, or too large",
                    "Write it as 256MiB, 2GiB or plain bytes.");
    }
    wanted.memory_bytes = static_cast<std::size_t>(*bytes);
  }
  if (!policy->empty()) {
    wanted.policy = policy_from_name(*policy);
    if (!wanted.policy) {
      return refuse(response, 400, "bad-query", "There is no such policy",
                    "The policies are lru and s3-fifo.");
    }
  }
  apply_(wanted);
  json::object out = stats();
  // Memory shrinks and grows in the background.
  if (wanted.memory_bytes) out["budget_bytes"] = *wanted.memory_bytes;
  answer(response, out);
}

}  // namespace cairn
