// cairn chain …, cairn export, cairn import: options and arguments.
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <memory>
#include <ostream>

#include "base/utf8.h"
#include "node/cli/chain_arguments.h"
#include "node/cli/command.h"

namespace cairn::cli {
namespace {

using Arguments = std::shared_ptr<ChainArguments>;
using Runner = Exit (*)(const ChainArguments&, const ChainOptions&, World&);

void on_parse(CLI::App& app, const Arguments& arguments, Runner runner, Command& command) {
  app.callback([arguments, runner, &command] {
    command = [arguments, runner](World& world) {
      const auto options = chain_options_of(*arguments, world);
      return options ? runner(*arguments, *options, world) : Exit::usage;
    };
  });
}

struct Named {
  CLI::App& app;
  Arguments arguments;
};

Named add_command(CLI::App& parent, const std::string& name, const std::string& words,
                  Runner runner, Command& command) {
  CLI::App& app = *parent.add_subcommand(name, words);
  auto arguments = std::make_shared<ChainArguments>();
  app.add_option("--server,--url", arguments->server,
                 "Where the node is; also CAIRN_SERVER (default http://127.0.0.1:8080)")
      ->type_name("URL");
  app.add_flag("--json", arguments->json, "One JSON object a line for machines");
  on_parse(app, arguments, runner, command);
  return {app, arguments};
}

void add_capability(const Named& named) {
  named.app
      .add_option("--cap,-c", named.arguments->capability,
                  "File with the capability; - reads it from standard input")
      ->type_name("FILE")
      ->required();
}

void add_heads(const Named& named) {
  named.app
      .add_option("--heads", named.arguments->heads,
                  "Remembers heads, to notice a chain that goes back; also CAIRN_HEADS")
      ->type_name("FILE");
}

void add_quiet(const Named& named) {
  named.app.add_flag("--quiet,-q", named.arguments->quiet, "No progress on standard error");
}

void add_jobs(const Named& named) {
  named.app.add_option("--jobs,-j", named.arguments->jobs, "Transfers in flight (default 8)")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
}

void add_secret_output(const Named& named) {
  named.app
      .add_option("--out,-o", named.arguments->output,
                  "New file for the capability, readable by you alone")
      ->type_name("FILE");
  named.app.add_flag("--print", named.arguments->print,
                     "Prints the secret even where standard output is a terminal");
}

void add_payload_options(const Named& named) {
  named.app
      .add_option("--ref", named.arguments->refs, "Block that the link refers to; may be repeated")
      ->type_name("ID")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_create_and_share(CLI::App& chain, Command& command) {
  const Named create =
      add_command(chain, "create", "Makes a chain and its write capability", chain_create, command);
  create.app.add_flag("--gated", create.arguments->gated,
                      "Links can be fetched with the capability alone, not by the chain's id");
  add_secret_output(create);

  const Named share = add_command(chain, "share", "Makes a read capability of a write capability",
                                  chain_share, command);
  add_capability(share);
  share.app.add_flag("--verify-only", share.arguments->verify_only,
                     "One that checks order and authors and reads nothing");
  share.app.add_flag("--offline", share.arguments->offline,
                     "Does not ask the node whether the chain has a newer read secret");
  add_secret_output(share);
  add_heads(share);
}

void add_writing(CLI::App& chain, Command& command) {
  const Named append = add_command(chain, "append", "Seals, signs and appends files, one link each",
                                   chain_append, command);
  add_capability(append);
  add_payload_options(append);
  append.app.add_flag("--checkpoint", append.arguments->checkpoint,
                      "A link with the whole state, where a reader may begin");
  append.app.add_flag("--drop-earlier", append.arguments->drop_earlier,
                      "The links before the checkpoint are dropped");
  append.app.add_option("files", append.arguments->operands,
                        "Payloads, 65520 bytes each at most; - or none: standard input");
  add_heads(append);

  const Named trim = add_command(
      chain, "trim", "Drops the links so far; the payload is the state that replaces them",
      chain_append, command);
  trim.arguments->checkpoint = true;
  trim.arguments->drop_earlier = true;
  add_capability(trim);
  add_payload_options(trim);
  trim.app.add_option("file", trim.arguments->operands, "Payload; - or none: standard input")
      ->expected(0, 1);
  add_heads(trim);

  const Named remove = add_command(chain, "delete", "Ends a chain for good and drops its links",
                                   chain_delete, command);
  add_capability(remove);
  remove.app.add_flag("--yes", remove.arguments->yes, "Yes, for everybody and for good");
  add_heads(remove);
}

void add_reading(CLI::App& chain, Command& command) {
  const Named log =
      add_command(chain, "log", "Prints the links of a chain, each checked", chain_log, command);
  add_capability(log);
  log.app.add_option("--from", log.arguments->from, "Prints from this seq on")
      ->type_name("SEQ")
      ->check(CLI::PositiveNumber);
  log.app
      .add_option("--payload", log.arguments->payload,
                  "Opens the payload of this link and writes it as it is")
      ->type_name("SEQ")
      ->check(CLI::PositiveNumber);
  log.app
      .add_option("--output,-o", log.arguments->output,
                  "File for the payload instead of standard output")
      ->type_name("FILE");
  log.app.add_flag("--payloads", log.arguments->payloads,
                   "With --json: each payload too, in base64url");
  add_heads(log);

  const Named follow = add_command(chain, "follow", "Prints links as they come, each checked",
                                   chain_follow, command);
  follow.arguments->from = 0;
  add_capability(follow);
  follow.app
      .add_option("--from", follow.arguments->from,
                  "Begins with this seq (default: with what comes from now on)")
      ->type_name("SEQ")
      ->check(CLI::PositiveNumber);
  follow.app.add_option("--count,-n", follow.arguments->count, "Ends after so many links")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  follow.app.add_flag("--payloads", follow.arguments->payloads,
                      "With --json: each payload too, in base64url");
  add_heads(follow);

  const Named verify = add_command(
      chain, "verify", "Checks every link and that their blocks are held; exits with 3 if not",
      chain_verify, command);
  add_capability(verify);
  add_quiet(verify);
  add_heads(verify);
}

}  // namespace

std::optional<ChainOptions> chain_options_of(const ChainArguments& arguments, World& world) {
  const std::string url = arguments.server.empty()
                              ? variable_or(world, "CAIRN_SERVER", "http://127.0.0.1:8080")
                              : arguments.server;
  auto server = parse_server(url);
  if (!server) {
    world.err << "cairn: " << printable(url) << ": " << server.error().detail << '\n';
    return std::nullopt;
  }
  ChainOptions options{.server = std::move(server.value())};
  options.heads_file =
      arguments.heads.empty() ? variable_or(world, "CAIRN_HEADS", "") : arguments.heads;
  options.json = arguments.json;
  options.progress = world.err_is_terminal ? Progress::Style::bar : Progress::Style::lines;
  if (arguments.quiet || arguments.json) options.progress = Progress::Style::quiet;
  return options;
}

void add_export_commands(CLI::App& app, Command& command) {
  const Named out = add_command(app, "export", "Writes a chain and its blocks into one file (CAR)",
                                export_chain, command);
  out.app
      .add_option("--cap,-c", out.arguments->capability,
                  "File with the capability; - reads it from standard input")
      ->type_name("FILE");
  out.app.add_option("chain", out.arguments->operands, "Or the chain's id, where it is not gated")
      ->expected(0, 1);
  out.app.add_option("--output,-o", out.arguments->output, "File to write; - is standard output")
      ->type_name("FILE")
      ->required();
  add_jobs(out);
  add_quiet(out);
  add_heads(out);

  const Named in = add_command(app, "import", "Checks an exported file and stores what is in it",
                               import_chain, command);
  in.app.add_option("file", in.arguments->operands, "What cairn export wrote")
      ->required()
      ->expected(1);
  in.app
      .add_option("--cap,-c", in.arguments->capability,
                  "File with the capability, for a gated chain that the node has in part")
      ->type_name("FILE");
  add_jobs(in);
  add_quiet(in);
}

void add_chain_commands(CLI::App& app, Command& command) {
  CLI::App& chain = *app.add_subcommand("chain", "Makes, extends, reads and checks chains");
  chain.require_subcommand(1);
  add_create_and_share(chain, command);
  add_writing(chain, command);
  add_reading(chain, command);
}

}  // namespace cairn::cli
