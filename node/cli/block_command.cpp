// cairn block put | get | stat | missing: options and arguments.
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>

#include "base/block_id_text.h"
#include "base/limits.h"
#include "node/cli/block_transfer.h"
#include "node/cli/command.h"
#include "node/config_text.h"

namespace cairn::cli {
namespace {

struct BlockArguments {
  std::string server;
  std::size_t jobs = 8;
  bool json = false;
  bool quiet = false;
  std::string block_bytes = "1MiB";
  std::string output;
  std::vector<std::string> operands;
};

std::optional<TransferOptions> options_of(const BlockArguments& arguments, World& world) {
  const std::string url = arguments.server.empty()
                              ? variable_or(world, "CAIRN_SERVER", "http://127.0.0.1:8080")
                              : arguments.server;
  auto server = parse_server(url);
  if (!server) {
    world.err << "cairn: " << url << ": " << server.error().detail << '\n';
    return std::nullopt;
  }
  const auto block_bytes = parse_byte_size(arguments.block_bytes);
  if (!block_bytes || *block_bytes == 0 || *block_bytes > kMaxBlockBytes) {
    world.err << "cairn: --block-bytes must be a size from 1 to 16MiB\n";
    return std::nullopt;
  }
  TransferOptions options{std::move(server.value()), arguments.jobs, *block_bytes,
                          Progress::Style::lines, arguments.json};
  if (world.err_is_terminal) options.progress = Progress::Style::bar;
  if (arguments.quiet || arguments.json) options.progress = Progress::Style::quiet;
  return options;
}

/// Ids from the arguments, or from standard input (the first word of each line) for "-".
std::optional<std::vector<BlockId>> ids_of(const BlockArguments& arguments, World& world) {
  std::vector<std::string> words = arguments.operands;
  if (words.size() == 1 && words.front() == "-") {
    words.clear();
    for (std::string line; std::getline(world.in, line);) {
      line.resize(std::min(line.find_first_of(" \t\r"), line.size()));
      if (!line.empty()) words.push_back(line);
    }
  }
  std::vector<BlockId> ids;
  for (const std::string& word : words) {
    const auto id = parse_block_id(word);
    if (!id) {
      world.err << "cairn: " << word << " is not a block id (64 lower-case hexadecimal digits)\n";
      return std::nullopt;
    }
    ids.push_back(*id);
  }
  return ids;
}

CLI::App& add_block_command(CLI::App& parent, const std::string& name, const std::string& words,
                            const std::shared_ptr<BlockArguments>& arguments) {
  CLI::App& command = *parent.add_subcommand(name, words);
  command
      .add_option("--server,--url", arguments->server,
                  "Where the node is; also CAIRN_SERVER (default http://127.0.0.1:8080)")
      ->type_name("URL");
  command.add_flag("--json", arguments->json, "One JSON object a line for machines");
  return command;
}

void add_transfer_options(CLI::App& command, const std::shared_ptr<BlockArguments>& arguments) {
  command.add_option("--jobs,-j", arguments->jobs, "Transfers in flight (default 8)")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
  command.add_flag("--quiet,-q", arguments->quiet, "No progress on standard error");
}

using Runner = Exit (*)(const BlockArguments&, const TransferOptions&, World&);

void on_parse(CLI::App& app, const std::shared_ptr<BlockArguments>& arguments, Runner runner,
              Command& command) {
  app.callback([arguments, runner, &command] {
    command = [arguments, runner](World& world) {
      const auto options = options_of(*arguments, world);
      return options ? runner(*arguments, *options, world) : Exit::usage;
    };
  });
}

Exit run_put(const BlockArguments& arguments, const TransferOptions& options, World& world) {
  std::vector<std::string> paths = arguments.operands;
  if (paths.empty()) paths.emplace_back("-");
  return put_paths(options, std::move(paths), world);
}

Exit run_get(const BlockArguments& arguments, const TransferOptions& options, World& world) {
  const auto ids = ids_of(arguments, world);
  return ids ? get_blocks(options, *ids, arguments.output, world) : Exit::usage;
}

Exit run_stat(const BlockArguments& arguments, const TransferOptions& options, World& world) {
  const auto ids = ids_of(arguments, world);
  return ids ? stat_blocks(options, *ids, world) : Exit::usage;
}

Exit run_missing(const BlockArguments& arguments, const TransferOptions& options, World& world) {
  const auto ids = ids_of(arguments, world);
  return ids ? missing_blocks(options, *ids, world) : Exit::usage;
}

}  // namespace

void add_block_commands(CLI::App& app, Command& command) {
  CLI::App& block = *app.add_subcommand("block", "Stores, fetches and examines blocks of a node");
  block.require_subcommand(1);

  auto put = std::make_shared<BlockArguments>();
  CLI::App& putting =
      add_block_command(block, "put", "Stores files, directories or standard input", put);
  add_transfer_options(putting, put);
  putting
      .add_option("--block-bytes", put->block_bytes,
                  "Cuts larger files into blocks of this size (default 1MiB)")
      ->type_name("SIZE");
  putting.add_option("paths", put->operands,
                     "Files or directories (links not followed); - or none: standard input");
  on_parse(putting, put, run_put, command);

  auto get = std::make_shared<BlockArguments>();
  CLI::App& getting =
      add_block_command(block, "get", "Fetches blocks, checks them, writes them in order", get);
  add_transfer_options(getting, get);
  getting.add_option("--output,-o", get->output, "File to write instead of standard output")
      ->type_name("FILE");
  getting.add_option("ids", get->operands, "Ids; - reads them from standard input")->required();
  on_parse(getting, get, run_get, command);

  auto stat = std::make_shared<BlockArguments>();
  CLI::App& stating = add_block_command(block, "stat", "Prints size and source of blocks", stat);
  stating.add_option("ids", stat->operands, "Ids; - reads them from standard input")->required();
  on_parse(stating, stat, run_stat, command);

  auto missing = std::make_shared<BlockArguments>();
  CLI::App& lacking = add_block_command(
      block, "missing", "Prints the ids that the node does not hold; exits with 3 if any", missing);
  lacking.add_option("ids", missing->operands, "Ids; - reads them from standard input")->required();
  on_parse(lacking, missing, run_missing, command);
}

}  // namespace cairn::cli
