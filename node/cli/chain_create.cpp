// cairn chain create | share: capabilities made and handed on.
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <ostream>

#include "base/utf8.h"
#include "crypto/chain_author.h"
#include "crypto/random.h"
#include "node/cli/capability_file.h"
#include "node/cli/chain_arguments.h"

namespace cairn::cli {
namespace {

/// Into the file that was named, where one was.
Result<void> keep(const Capability& capability, const ChainArguments& arguments) {
  if (arguments.output.empty()) return ok();
  std::string text = capability_text(capability);
  auto kept = write_secret_file(arguments.output, text);
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  if (!kept) return fail(Errc::full, kept.error().detail);
  return kept;
}

/// The capability, or where it is in a file the chain's id.
Exit print(const Capability& capability, const ChainArguments& arguments, World& world) {
  const std::string chain = chain_of(capability).text();
  const bool filed = !arguments.output.empty();
  std::string text = filed ? arguments.output : capability_text(capability);
  if (arguments.json) {
    const boost::json::object out{{"chain", chain}, {filed ? "file" : "capability", text}};
    world.out << boost::json::serialize(out) << '\n';
  } else {
    world.out << (filed ? chain : text) << '\n';
  }
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return Exit::ok;
}

Exit hand_out(const Capability& capability, const ChainArguments& arguments, World& world) {
  if (const auto kept = keep(capability, arguments); !kept) return tell(kept.error(), world);
  return print(capability, arguments, world);
}

/// The read secret of the chain's newest epoch, as the node's chain names it.
Result<ReadSecret> newest_secret(const Capability& capability, const ChainOptions& options,
                                 World& world) {
  ChainSession session(options, capability, world);
  CAIRN_TRY(session.open());
  CAIRN_TRY(session.walk_to_head([](const CheckedLink&) -> Result<void> { return ok(); }));
  session.remember();
  const std::uint32_t epoch = session.state().epoch;
  const ReadSecret* secret = session.keys().of(epoch);
  if (secret == nullptr) {
    return fail(Errc::denied, "the capability does not open read epoch " + std::to_string(epoch));
  }
  return *secret;
}

}  // namespace

bool may_print_secret(const ChainArguments& arguments, World& world) {
  if (!arguments.output.empty() || arguments.print || !world.out_is_terminal) return true;
  world.err << "cairn: a secret is not shown on a terminal; name a file with --out FILE, or say "
               "--print\n";
  return false;
}

Exit chain_create(const ChainArguments& arguments, const ChainOptions& options, World& world) {
  if (!may_print_secret(arguments, world)) return Exit::usage;
  SystemRandom random;
  const WriteSecret secret = WriteSecret::random(random);
  Bytes manifest = new_manifest(secret, arguments.gated ? Reads::gated : Reads::open, random);
  const WriteCapability capability{chain_id_of(manifest), secret};
  // The file is there before the chain is: no chain is made whose secret is lost.
  if (const auto kept = keep(capability, arguments); !kept) return tell(kept.error(), world);
  ChainClient client(options.server, capability.chain);
  const auto created = client.create(std::move(manifest));
  if (!created) {
    if (!arguments.output.empty()) std::remove(arguments.output.c_str());
    return tell(created.error(), world);
  }
  return print(capability, arguments, world);
}

Exit chain_share(const ChainArguments& arguments, const ChainOptions& options, World& world) {
  if (!arguments.verify_only && !may_print_secret(arguments, world)) return Exit::usage;
  const auto capability = read_capability(arguments.capability, world);
  if (!capability) return tell(capability.error(), world);
  const ChainId chain = chain_of(capability.value());
  if (arguments.verify_only) return hand_out(VerifyCapability{chain}, arguments, world);
  if (std::holds_alternative<VerifyCapability>(capability.value())) {
    return tell(fail(Errc::denied, "a verify capability has nothing to read with"), world);
  }
  if (arguments.offline) {
    const auto secret = ChainKeys(capability.value()).newest();
    return hand_out(ReadCapability{chain, *secret}, arguments, world);
  }
  const auto secret = newest_secret(capability.value(), options, world);
  if (!secret) return tell(secret.error(), world);
  return hand_out(ReadCapability{chain, secret.value()}, arguments, world);
}

}  // namespace cairn::cli
