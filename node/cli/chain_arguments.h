// What the commands of chains are told, and the commands themselves. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/capability.h"
#include "node/cli/chain_session.h"
#include "node/cli/command.h"

namespace cairn::cli {

/// The words of the command line.
struct ChainArguments {
  std::string server;
  std::string capability;  ///< A file, or "-".
  std::string heads;
  std::string output;
  std::vector<std::string> refs;
  std::vector<std::string> operands;
  std::size_t jobs = 8;
  std::uint64_t from = 1;
  std::uint64_t count = 0;    ///< 0: without end.
  std::uint64_t payload = 0;  ///< Seq of the link whose payload is wanted; 0: none.
  bool payloads = false;
  bool json = false;
  bool quiet = false;
  bool gated = false;
  bool print = false;
  bool checkpoint = false;
  bool drop_earlier = false;
  bool verify_only = false;
  bool offline = false;
  bool yes = false;
};

/// Nothing where the words do not fit together; the reason was told.
std::optional<ChainOptions> chain_options_of(const ChainArguments& arguments, World& world);

/// Whether a secret may go to standard output: not to a terminal unless it was asked for. Tells.
bool may_print_secret(const ChainArguments& arguments, World& world);

/// One link as a line for people or, with --json, for machines. `payload` goes into the JSON.
void print_link(const CheckedLink& link, const ReadSecret* secret, bool payload, bool json,
                World& world);

Exit chain_create(const ChainArguments& arguments, const ChainOptions& options, World& world);
Exit chain_append(const ChainArguments& arguments, const ChainOptions& options, World& world);
Exit chain_delete(const ChainArguments& arguments, const ChainOptions& options, World& world);
Exit chain_share(const ChainArguments& arguments, const ChainOptions& options, World& world);
Exit chain_log(const ChainArguments& arguments, const ChainOptions& options, World& world);
Exit chain_follow(const ChainArguments& arguments, const ChainOptions& options, World& world);
Exit chain_verify(const ChainArguments& arguments, const ChainOptions& options, World& world);
Exit export_chain(const ChainArguments& arguments, const ChainOptions& options, World& world);
Exit import_chain(const ChainArguments& arguments, const ChainOptions& options, World& world);

}  // namespace cairn::cli
