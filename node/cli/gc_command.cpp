// cairn gc status | run: what a running node collects of the blocks that no link refers to.
#include <boost/json/serialize.hpp>
#include <chrono>
#include <memory>
#include <ostream>

#include "node/cli/admin_client.h"
#include "node/cli/command.h"
#include "node/cli/progress.h"

namespace cairn::cli {
namespace {

constexpr std::string_view kTarget = "/admin/v1/gc";
constexpr std::chrono::milliseconds kPoll{200};

struct GcArguments {
  ConfigArguments config;
  bool json = false;
};

std::uint64_t number(const boost::json::object& status, const char* name) {
  const boost::json::value* value = status.if_contains(name);
  if (value == nullptr || !value->is_number()) return 0;
  boost::system::error_code error;
  const auto out = value->to_number<std::uint64_t>(error);
  return error ? 0 : out;
}

bool is_set(const boost::json::object& status, const char* name) {
  const boost::json::value* value = status.if_contains(name);
  return value != nullptr && value->is_bool() && value->as_bool();
}

std::string grace_for_people(std::uint64_t ms) {
  const std::uint64_t seconds = ms / 1000;
  if (seconds % 3600 == 0) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds) + " s";
}

void print(const boost::json::object& status, std::ostream& out) {
  if (!is_set(status, "on")) {
    out << "blocks are kept for ever (storage.grace_s is 0)\n";
  } else {
    out << "blocks that no link refers to go " << grace_for_people(number(status, "grace_ms"))
        << " after their last put\n"
        << (is_set(status, "running") ? "a pass is under way: " : "last pass: ")
        << number(status, "pass_blocks") << " blocks looked at, "
        << number(status, "pass_candidates") << " past their grace, "
        << number(status, "pass_pinned") << " of these kept by links\n";
  }
  out << "since the node started: " << number(status, "passes") << " passes, "
      << number(status, "erased_blocks") << " blocks erased, "
      << size_for_people(static_cast<double>(number(status, "erased_bytes"))) << " reclaimed, "
      << number(status, "trimmed_links") << " dropped links removed ("
      << number(status, "trims_waiting") << " chains still to trim)\n";
}

Exit refused(const Error& error, World& world) {
  world.err << "cairn: " << error.detail << '\n';
  return exit_for(error);
}

Exit show(const boost::json::object& status, bool json, World& world) {
  if (json) {
    world.out << boost::json::serialize(status) << '\n';
  } else {
    print(status, world.out);
  }
  return Exit::ok;
}

Exit run_status(const GcArguments& arguments, World& world) {
  auto client = AdminClient::of(arguments.config, world);
  if (!client) return refused(client.error(), world);
  const auto status = client.value().get(kTarget);
  if (!status) return refused(status.error(), world);
  return show(status.value(), arguments.json, world);
}

/// A line that is written over on a terminal, one every few seconds elsewhere.
class PassDisplay {
 public:
  explicit PassDisplay(World& world) : world_(world) {}

  void show(std::uint64_t blocks) {
    constexpr int kPollsALine = 25;
    if (!world_.err_is_terminal && ++polls_ % kPollsALine != 0) return;
    if (world_.err_is_terminal) world_.err << "\r\x1b[K";
    world_.err << blocks << " blocks looked at";
    world_.err << (world_.err_is_terminal ? "" : "\n") << std::flush;
  }
  void end() {
    if (world_.err_is_terminal) world_.err << "\r\x1b[K" << std::flush;
  }

 private:
  World& world_;
  int polls_ = 0;
};

/// Begins a pass and shows how far it is until it has ended.
Exit run_pass(const GcArguments& arguments, World& world) {
  auto client = AdminClient::of(arguments.config, world);
  if (!client) return refused(client.error(), world);
  const auto before = client.value().get(kTarget);
  if (!before) return refused(before.error(), world);
  PassDisplay display(world);
  auto status = client.value().post(kTarget, {});
  while (status && (is_set(status.value(), "running") ||
                    number(status.value(), "passes") == number(before.value(), "passes"))) {
    display.show(number(status.value(), "pass_blocks"));
    AdminClient::pause(kPoll);
    status = client.value().get(kTarget);
  }
  display.end();
  if (!status) return refused(status.error(), world);
  return show(status.value(), arguments.json, world);
}

using Run = Exit (*)(const GcArguments&, World&);

void add(CLI::App& gc, Command& command, const char* name, const char* words, Run run) {
  CLI::App& one = *gc.add_subcommand(name, words);
  auto arguments = std::make_shared<GcArguments>();
  add_config_options(one, arguments->config);
  one.add_flag("--json", arguments->json, "One JSON object for machines");
  one.callback([arguments, run, &command] {
    command = [arguments, run](World& world) { return run(*arguments, world); };
  });
}

}  // namespace

void add_gc_commands(CLI::App& app, Command& command) {
  CLI::App& gc = *app.add_subcommand(
      "gc", "What a running node collects: blocks that no link of a chain refers to");
  gc.require_subcommand(1);
  add(gc, command, "status", "Shows the grace, the last pass and what was reclaimed", run_status);
  add(gc, command, "run", "Begins a pass now and waits for its end", run_pass);
}

}  // namespace cairn::cli
