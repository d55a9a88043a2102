// cairn cache stats | top | curve | why | set: what a running node's caches do, what they hold,
// what more memory would bring.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cmath>
#include <iomanip>
#include <memory>
#include <ostream>
#include <sstream>

#include "base/block_id_text.h"
#include "base/utf8.h"
#include "node/cli/admin_client.h"
#include "node/cli/command.h"
#include "node/cli/progress.h"
#include "node/config_text.h"

namespace cairn::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kCache = "/admin/v1/cache";
constexpr std::chrono::milliseconds kWatchPause{2'000};
constexpr std::size_t kBarColumns = 40;

struct CacheArguments {
  ConfigArguments config;
  bool json = false;
  bool watch = false;
  std::size_t count = 20;
  std::string id;
  std::vector<std::string> settings;
};

double number(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return 0;
  boost::system::error_code error;
  const auto out = value->to_number<double>(error);
  return error ? 0 : out;
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string().c_str())
                                                : std::string();
}

bool is_set(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->as_bool();
}

/// Nothing where there is no such array, or it holds something else.
std::vector<json::object> objects_at(const json::object& object, std::string_view name) {
  std::vector<json::object> out;
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return out;
  for (const json::value& one : value->as_array()) {
    if (one.is_object()) out.push_back(one.as_object());
  }
  return out;
}

std::string fixed(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

std::string percent(double part, double whole) {
  return whole <= 0 ? "-" : fixed(100 * part / whole, 1) + " %";
}

std::string time_text(double us) {
  if (us <= 0) return "-";
  return us < 1'000 ? fixed(us, 0) + " us" : fixed(us / 1'000, 1) + " ms";
}

void print_stats(const json::object& stats, std::ostream& out) {
  const double asked = number(stats, "hits") + number(stats, "misses");
  out << "memory   " << size_for_people(number(stats, "used_bytes")) << " of "
      << size_for_people(number(stats, "budget_bytes")) << " used, "
      << fixed(number(stats, "blocks"), 0) << " blocks, policy " << text_at(stats, "policy")
      << "\nhits     " << percent(number(stats, "hits"), asked) << " of " << fixed(asked, 0)
      << " requests; " << fixed(number(stats, "coalesced"), 0) << " waited for another's fetch\n";
  if (number(stats, "evictions") > 0) {
    out << "left     " << fixed(number(stats, "evictions"), 0) << " blocks, "
        << percent(number(stats, "evicted_unread"), number(stats, "evictions"))
        << " of them unread, " << fixed(number(stats, "evicted_after_s"), 1)
        << " s after they were last needed\n";
  }
  const json::value* sources = stats.if_contains("sources");
  if (sources == nullptr || !sources->is_object()) return;
  out << "\nsource        requests        bytes      p50      p99\n";
  for (const auto& [name, value] : sources->as_object()) {
    if (!value.is_object() || number(value.as_object(), "requests") <= 0) continue;
    const json::object& source = value.as_object();
    out << std::left << std::setw(10) << std::string(name) << std::right << std::setw(12)
        << fixed(number(source, "requests"), 0) << std::setw(13)
        << size_for_people(number(source, "bytes")) << std::setw(9)
        << time_text(number(source, "p50_us")) << std::setw(9)
        << time_text(number(source, "p99_us")) << '\n';
  }
}

void print_top(const json::object& top, std::ostream& out) {
  const auto blocks = objects_at(top, "blocks");
  if (blocks.empty()) {
    out << "no block has been asked for often enough yet\n";
    return;
  }
  out << "  requests/s        size  in memory  block\n";
  for (const json::object& block : blocks) {
    out << std::setw(12) << fixed(number(block, "per_second"), 1) << std::setw(12)
        << size_for_people(number(block, "size")) << std::setw(11)
        << (is_set(block, "in_memory") ? "yes" : "no") << "  " << text_at(block, "id") << '\n';
  }
}

/// The share of hits that the curve of `policy` has at `budget_bytes`; nothing where it has none.
std::optional<double> hits_at(const json::object& curves, std::string_view policy,
                              double budget_bytes) {
  for (const json::object& point : objects_at(curves, policy)) {
    if (number(point, "budget_bytes") == budget_bytes) return number(point, "hits");
  }
  return std::nullopt;
}

void print_curve(const json::object& answer, std::ostream& out) {
  const std::string policy = text_at(answer, "policy");
  const std::string other = policy == "lru" ? "s3-fifo" : "lru";
  const json::value* found = answer.if_contains("curves");
  const json::object curves =
      found != nullptr && found->is_object() ? found->as_object() : json::object();
  const double window_s = number(answer, "window_s");
  out << "hits by memory, of the last "
      << (window_s < 120 ? fixed(window_s, 0) + " s" : fixed(window_s / 60, 0) + " min") << " at "
      << fixed(number(answer, "requests_per_s"), 0) << " requests/s (" << policy << "; " << other
      << " at the right)\n";
  const auto points = objects_at(curves, policy);
  const json::object* here = nullptr;
  for (const json::object& point : points) {
    if (number(point, "budget_bytes") <= number(answer, "budget_bytes")) here = &point;
  }
  for (const json::object& point : points) {
    const double hits = number(point, "hits");
    const auto columns = static_cast<std::size_t>(std::clamp(hits, 0.0, 1.0) * kBarColumns + 0.5);
    out << std::setw(11) << size_for_people(number(point, "budget_bytes")) << "  "
        << std::string(columns, '#') << std::string(kBarColumns - columns, '.') << ' '
        << std::setw(7) << percent(hits, 1);
    if (const auto shadow = hits_at(curves, other, number(point, "budget_bytes"))) {
      out << std::setw(9) << percent(*shadow, 1);
    }
    if (here != nullptr && number(*here, "budget_bytes") == number(point, "budget_bytes")) {
      out << "  <- you are here";
    }
    out << '\n';
  }
  const json::value* advice = answer.if_contains("advice");
  if (advice == nullptr || !advice->is_array() || advice->as_array().empty()) {
    out << "nothing has been asked for yet\n";
    return;
  }
  for (const json::value& line : advice->as_array()) {
    if (line.is_string()) out << "  " << line.as_string().c_str() << '\n';
  }
}

void print_why(const json::object& why, std::ostream& out) {
  out << text_at(why, "words") << '\n';
  if (number(why, "per_second") > 0) {
    out << "asked for " << fixed(number(why, "per_second"), 1) << " times a second lately\n";
  }
}

using Print = void (*)(const json::object&, std::ostream&);

Exit refused(const Error& error, World& world) {
  world.err << "cairn: " << error.detail << '\n';
  return exit_for(error);
}

Exit show(const Result<json::object>& answer, const CacheArguments& arguments, Print print,
          World& world) {
  if (!answer) return refused(answer.error(), world);
  if (arguments.json) {
    world.out << json::serialize(answer.value()) << '\n';
  } else {
    print(answer.value(), world.out);
  }
  return Exit::ok;
}

/// Once, or with --watch over and over until it is ended or the node is.
Exit ask(const CacheArguments& arguments, const std::string& target, Print print, World& world) {
  auto client = AdminClient::of(arguments.config, world);
  if (!client) return refused(client.error(), world);
  for (;;) {
    const auto answer = client.value().get(target);
    // From the top of the screen, and what is left of the last picture goes.
    if (arguments.watch && world.out_is_terminal) world.out << "\x1b[H\x1b[2J";
    const Exit code = show(answer, arguments, print, world);
    world.out << std::flush;
    if (code != Exit::ok || !arguments.watch || !world.out) return code;
    AdminClient::pause(kWatchPause);
  }
}

Exit run_stats(const CacheArguments& arguments, World& world) {
  return ask(arguments, std::string(kCache), print_stats, world);
}

Exit run_top(const CacheArguments& arguments, World& world) {
  return ask(arguments, std::string(kCache) + "/top?n=" + std::to_string(arguments.count),
             print_top, world);
}

Exit run_curve(const CacheArguments& arguments, World& world) {
  return ask(arguments, std::string(kCache) + "/curve", print_curve, world);
}

Exit run_why(const CacheArguments& arguments, World& world) {
  if (!parse_block_id(arguments.id)) {
    world.err << "cairn: a block's id has 64 lower-case hexadecimal digits\n";
    return Exit::usage;
  }
  return ask(arguments, std::string(kCache) + "/why?id=" + arguments.id, print_why, world);
}

Exit run_set(const CacheArguments& arguments, World& world) {
  std::string query;
  for (const std::string& setting : arguments.settings) {
    const std::size_t equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : setting.substr(equals + 1);
    const bool good = (name == "memory" && parse_byte_size(value)) ||
                      (name == "policy" && (value == "lru" || value == "s3-fifo"));
    if (!good) {
      world.err << "cairn: " << printable(setting)
                << " is not memory=SIZE (as 2GiB), policy=lru or policy=s3-fifo\n";
      return Exit::usage;
    }
    query.append(query.empty() ? "?" : "&").append(name).append("=").append(value);
  }
  auto client = AdminClient::of(arguments.config, world);
  if (!client) return refused(client.error(), world);
  const auto answer = client.value().post(std::string(kCache) + query, {});
  const Exit code = show(answer, arguments, print_stats, world);
  if (code == Exit::ok) {
    world.err << "in effect until the node's next start or reload; write it into the configuration "
                 "to keep it\n";
  }
  return code;
}

using Run = Exit (*)(const CacheArguments&, World&);

CLI::App& add(CLI::App& cache, Command& command, const char* name, const char* words, Run run,
              const std::shared_ptr<CacheArguments>& arguments) {
  CLI::App& one = *cache.add_subcommand(name, words);
  add_config_options(one, arguments->config);
  one.add_flag("--json", arguments->json, "One JSON object for machines");
  one.callback([arguments, run, &command] {
    command = [arguments, run](World& world) { return run(*arguments, world); };
  });
  return one;
}

}  // namespace

void add_cache_commands(CLI::App& app, Command& command) {
  CLI::App& cache = *app.add_subcommand(
      "cache", "What a running node keeps in memory, and what more would bring");
  cache.require_subcommand(1);
  const auto fresh = [] { return std::make_shared<CacheArguments>(); };
  const auto watched = [](CLI::App& one, const std::shared_ptr<CacheArguments>& arguments) {
    one.add_flag("--watch", arguments->watch, "Again every two seconds, until Ctrl-C");
  };
  auto stats = fresh();
  watched(add(cache, command, "stats", "Hits, memory, and how fast each source answers", run_stats,
              stats),
          stats);
  auto top = fresh();
  CLI::App& top_app =
      add(cache, command, "top", "The blocks that are asked for most", run_top, top);
  watched(top_app, top);
  top_app.add_option("-n", top->count, "How many (default 20)")->check(CLI::Range(1, 1024));
  auto curve = fresh();
  watched(add(cache, command, "curve", "Hits by memory, and what another policy would do",
              run_curve, curve),
          curve);
  auto why = fresh();
  add(cache, command, "why", "Says why a block is in memory or is not", run_why, why)
      .add_option("id", why->id, "The block's id")
      ->required();
  auto set = fresh();
  add(cache, command, "set", "Changes memory or policy while the node runs", run_set, set)
      .add_option("settings", set->settings, "memory=SIZE, policy=lru or policy=s3-fifo")
      ->required();
}

}  // namespace cairn::cli
