// cairn fsck: checks a stopped node's store.
#include <algorithm>
#include <memory>
#include <ostream>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/random.h"
#include "node/cli/command.h"
#include "node/cli/config_arguments.h"
#include "node/cli/progress.h"
#include "storage/fsck.h"

namespace cairn::cli {
namespace {

struct FsckArguments {
  ConfigArguments config;
  std::string data_dir;
  bool repair = false;
  bool json = false;
};

const char* words_of(FsckPhase phase) {
  switch (phase) {
    case FsckPhase::entries: return "entries";
    case FsckPhase::bodies: return "bodies";
    case FsckPhase::log: return "value log";
    case FsckPhase::chains: return "links of chains";
  }
  return "value log";
}

/// A line that is written over on a terminal; nothing elsewhere, where the report is enough.
class FsckDisplay {
 public:
  explicit FsckDisplay(World& world) : world_(world) {}

  bool show(const FsckProgress& progress) {
    if (!world_.err_is_terminal) return true;
    world_.err << "\r\x1b[Kchecking " << words_of(progress.phase) << ": " << progress.done;
    if (progress.estimated > 0) world_.err << " of about " << progress.estimated;
    world_.err << ", " << size_for_people(static_cast<double>(progress.bytes)) << std::flush;
    return true;
  }

  void end() {
    if (world_.err_is_terminal) world_.err << "\r\x1b[K";
  }

 private:
  World& world_;
};

void print_json(const FsckReport& report, std::ostream& out) {
  out << "{\"blocks\":" << report.blocks << ",\"bytes\":" << report.bytes
      << ",\"faults\":" << report.faults << ",\"repaired\":" << report.repaired
      << ",\"quarantined\":" << report.quarantined
      << ",\"orphan_records\":" << report.orphan_records
      << ",\"orphan_bytes\":" << report.orphan_bytes << ",\"chains\":" << report.chains
      << ",\"links\":" << report.links << ",\"clean\":" << (report.clean() ? "true" : "false")
      << ",\"problems\":[";
  bool first = true;
  for (const FsckProblem& problem : report.problems) {
    std::string line = first ? "{\"fault\":\"" : ",{\"fault\":\"";
    line += name_of(problem.fault);
    line += "\",\"block\":";
    append_json_string(line, problem.block);
    line += ",\"detail\":";
    append_json_string(line, problem.detail);
    line += problem.repaired ? ",\"repaired\":true}" : ",\"repaired\":false}";
    out << line;
    first = false;
  }
  out << "]}\n";
}

void print_report(const FsckReport& report, bool repair, std::ostream& out) {
  for (const FsckProblem& problem : report.problems) {
    out << name_of(problem.fault) << "  " << problem.block << "  " << problem.detail
        << (problem.repaired ? "  (repaired)" : "") << '\n';
  }
  if (report.faults > report.problems.size()) {
    out << "… and " << report.faults - report.problems.size() << " more\n";
  }
  out << report.blocks << " blocks, " << size_for_people(static_cast<double>(report.bytes))
      << " right: " << report.in_index << " in the index, " << report.in_blobs << " in blobs, "
      << report.in_log << " in the value log\n"
      << report.chains << " chains, " << report.links << " links\n";
  if (report.orphan_records > 0) {
    out << report.orphan_records << " records without an entry ("
        << size_for_people(static_cast<double>(report.orphan_bytes))
        << "): no damage, the scrub gives them back\n";
  }
  if (report.faults == 0) {
    out << "clean\n";
  } else {
    out << report.faults << " faults, " << report.repaired << " repaired, " << report.quarantined
        << " set aside in quarantine/\n";
    if (!repair) out << "run again with --repair to mend what can be\n";
    const bool lost = std::ranges::any_of(report.problems, [](const FsckProblem& problem) {
      return problem.fault == FsckFault::bad_chain || problem.fault == FsckFault::dangling_ref;
    });
    // What clients signed and stored, nobody else can make again.
    if (lost) {
      out << "put blocks that links lack again, and bring chains that are damaged from a backup "
             "(cairn import)\n";
    }
  }
}

Exit run_fsck(const FsckArguments& arguments, World& world) {
  std::string directory = arguments.data_dir;
  if (directory.empty()) {
    const LoadedConfig loaded = load_layers(arguments.config, world);
    if (!loaded.ok()) {
      print_errors(world.err, loaded.errors);
      return Exit::usage;
    }
    directory = loaded.config.node.data_dir;
  }
  const SystemClock clock;
  SystemRandom random;
  NullLog log;
  FsckDisplay display(world);
  FsckOptions options;
  options.directory = directory;
  options.repair = arguments.repair;
  options.on_progress = [&display](const FsckProgress& progress) { return display.show(progress); };
  const auto report = fsck(options, clock, random, log);
  display.end();
  if (!report) {
    world.err << "cairn: " << directory << ": " << report.error().detail << '\n';
    return Exit::failure;
  }
  if (arguments.json) {
    print_json(report.value(), world.out);
  } else {
    print_report(report.value(), arguments.repair, world.out);
  }
  return report.value().clean() ? Exit::ok : Exit::failure;
}

}  // namespace

void add_fsck_command(CLI::App& app, Command& command) {
  CLI::App& checking = *app.add_subcommand("fsck", "Checks the store of a stopped node");
  auto arguments = std::make_shared<FsckArguments>();
  add_config_options(checking, arguments->config);
  checking.add_option("--data-dir", arguments->data_dir, "The store, instead of node.data_dir")
      ->type_name("DIR");
  checking.add_flag("--repair", arguments->repair, "Sets bad blocks aside in quarantine/");
  checking.add_flag("--json", arguments->json, "One JSON object for machines");
  checking.callback([arguments, &command] {
    command = [arguments](World& world) { return run_fsck(*arguments, world); };
  });
}

}  // namespace cairn::cli
