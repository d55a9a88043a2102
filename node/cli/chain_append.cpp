// cairn chain append | trim | delete: links made on the chain's checked head, again on the next one
// where somebody else was first.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <istream>
#include <ostream>

#include "base/block_id_text.h"
#include "base/utf8.h"
#include "crypto/chain_author.h"
#include "crypto/random.h"
#include "node/cli/capability_file.h"
#include "node/cli/chain_arguments.h"

namespace cairn::cli {
namespace {

/// Races that may be lost in a row; then somebody writes faster than this command reads.
constexpr int kMostRaces = 32;

struct Stored {
  std::vector<Bytes> links;
  CheckedReceipt receipt;
};

/// Bytes of one payload, one more than a link takes at most.
Result<Bytes> read_payload(const std::string& path, World& world) {
  Bytes out(kMaxLinkPayload + 1);
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return fail(Errc::not_found, path + ": " + std::strerror(errno));
  }
  std::istream& in = path == "-" ? world.in : file;
  in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  if (in.bad()) return fail(Errc::not_found, path + ": cannot be read");
  out.resize(static_cast<std::size_t>(in.gcount()));
  if (out.size() > kMaxLinkPayload) {
    return fail(Errc::malformed, path + ": a link's payload has " +
                                     std::to_string(kMaxLinkPayload) +
                                     " bytes at most; put it as a block and name it with --ref");
  }
  return out;
}

/// Nothing where the words do not fit together; the reason was told.
std::optional<std::vector<BlockId>> refs_of(const ChainArguments& arguments, World& world) {
  std::vector<BlockId> out;
  for (const std::string& word : arguments.refs) {
    const auto id = parse_block_id(word);
    if (!id) {
      world.err << "cairn: " << printable(word)
                << " is not a block id (64 lower-case hexadecimal digits)\n";
      return std::nullopt;
    }
    out.push_back(*id);
  }
  const char* wrong = nullptr;
  if (out.size() > kMaxLinkRefs) wrong = "a link has 1024 refs at most";
  const std::size_t links = std::max<std::size_t>(1, arguments.operands.size());
  if (links > kMaxLinksPerCall) wrong = "an append has 256 links at most";
  if (links > 1 && (!out.empty() || arguments.checkpoint)) {
    wrong = "--ref and --checkpoint go with one payload";
  }
  if (arguments.drop_earlier && !arguments.checkpoint) wrong = "--drop-earlier needs --checkpoint";
  const auto& files = arguments.operands;
  const bool from_in = files.empty() || std::find(files.begin(), files.end(), "-") != files.end();
  if (arguments.capability == "-" && from_in) {
    wrong = "capability and payload cannot both come from standard input";
  }
  if (wrong == nullptr) return out;
  world.err << "cairn: " << wrong << '\n';
  return std::nullopt;
}

class AppendRun {
 public:
  AppendRun(ChainSession& session, const WriteCapability& capability)
      : session_(session), author_(capability.secret, random_) {}

  Result<Stored> run(const std::vector<LinkDraft>& drafts) {
    CAIRN_TRY(session_.walk_to_head(watch()));
    for (int race = 0; race < kMostRaces; ++race) {
      CAIRN_TRY(std::vector<Bytes> links, author_.write(session_.state(), session_.keys(), drafts));
      const ChainPosition last{session_.state().seq + links.size(), link_id_of(links.back())};
      sent_ = last;
      auto receipt = session_.client().append(links);
      if (receipt) return kept(std::move(links), std::move(receipt.value()), last);
      if (receipt.error().code != Errc::conflict) return receipt.error();
      CAIRN_TRY(catch_up());
    }
    return fail(Errc::conflict, "others were first " + std::to_string(kMostRaces) +
                                    " times in a row; nothing was appended");
  }

 private:
  /// Links of ours that are read back, as of a call that broke after it had arrived.
  ChainSession::Visit watch() {
    return [this](const CheckedLink& link) -> Result<void> {
      if (link.id == sent_.link) arrived_ = true;
      return ok();
    };
  }

  Result<Stored> kept(std::vector<Bytes> links, CheckedReceipt receipt, const ChainPosition& last) {
    if (!(receipt.position == last)) {
      return session_.break_off("the node acknowledges another link than it was sent");
    }
    // Held before, they may be behind others by now.
    CAIRN_TRY(session_.take_own(links));
    return Stored{std::move(links), std::move(receipt)};
  }

  /// After a lost race: reads and checks what was first.
  Result<void> catch_up() {
    const std::uint64_t before = session_.state().seq;
    CAIRN_TRY(session_.refresh());
    CAIRN_TRY(session_.walk_to_head(watch()));
    if (arrived_) return session_.break_off("the node refuses as a conflict what it has appended");
    if (session_.state().seq > before) return ok();
    return session_.break_off("the node refuses as a conflict what stands on its head");
  }

  ChainSession& session_;
  SystemRandom random_;
  ChainAuthor author_;
  ChainPosition sent_{};
  bool arrived_ = false;
};

void print(const Stored& stored, bool as_json, World& world) {
  if (!as_json) {
    for (const Bytes& link : stored.links) {
      world.out << LinkView::parse(link).value().fields().seq << "  " << link_id_of(link).text()
                << '\n';
    }
    return;
  }
  boost::json::object out = boost::json::parse(stored.receipt.json).as_object();
  boost::json::array ids;
  for (const Bytes& link : stored.links) ids.emplace_back(link_id_of(link).text());
  out["links"] = std::move(ids);
  world.out << boost::json::serialize(out) << '\n';
}

Exit append(const ChainArguments& arguments, const std::vector<LinkDraft>& drafts,
            const ChainOptions& options, World& world) {
  const auto capability = read_capability(arguments.capability, world);
  if (!capability) return tell(capability.error(), world);
  const auto* write = std::get_if<WriteCapability>(&capability.value());
  if (write == nullptr) {
    return tell(fail(Errc::denied, "only a write capability (cairn_w_…) appends"), world);
  }
  ChainSession session(options, capability.value(), world);
  if (const auto opened = session.open(); !opened) return tell(opened.error(), world);
  const auto stored = AppendRun(session, *write).run(drafts);
  if (!stored) return tell(stored.error(), world);
  session.remember();
  print(stored.value(), options.json, world);
  return Exit::ok;
}

}  // namespace

Exit chain_append(const ChainArguments& arguments, const ChainOptions& options, World& world) {
  const auto refs = refs_of(arguments, world);
  if (!refs) return Exit::usage;
  std::vector<std::string> paths = arguments.operands;
  if (paths.empty()) paths.emplace_back("-");
  std::vector<LinkDraft> drafts;
  for (const std::string& path : paths) {
    auto payload = read_payload(path, world);
    if (!payload) return tell(payload.error(), world);
    LinkDraft draft{.refs = *refs, .payload = std::move(payload.value())};
    if (arguments.checkpoint) draft.type = LinkType::checkpoint;
    if (arguments.drop_earlier) draft.earlier = Earlier::dropped;
    drafts.push_back(std::move(draft));
  }
  return append(arguments, drafts, options, world);
}

Exit chain_delete(const ChainArguments& arguments, const ChainOptions& options, World& world) {
  if (!arguments.yes) {
    world.err << "cairn: a deleted chain is gone for everybody and for good; say --yes\n";
    return Exit::usage;
  }
  return append(arguments, {LinkDraft{.type = LinkType::remove}}, options, world);
}

}  // namespace cairn::cli
