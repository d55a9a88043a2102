// cairn chain log | follow | verify: a chain read from its manifest or checkpoint on, every link
// checked before anything of it is shown.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <ostream>

#include "base/limits.h"
#include "base/utf8.h"
#include "crypto/grants.h"
#include "node/cli/admin_client.h"
#include "node/cli/capability_file.h"
#include "node/cli/chain_arguments.h"
#include "node/cli/output_file.h"
#include "node/cli/progress.h"

namespace cairn::cli {
namespace {

namespace json = boost::json;

/// A node that does not wait is not asked more often.
constexpr std::chrono::milliseconds kLeastWait{1000};

std::string_view type_name(LinkType type) {
  switch (type) {
    case LinkType::data: return "data";
    case LinkType::checkpoint: return "checkpoint";
    case LinkType::rotate: return "rotate";
    case LinkType::remove: return "delete";
  }
  return "?";
}

std::string writer_name(const LinkFields& fields) {
  return fields.writer == kAdminWriter ? "admin" : std::to_string(fields.writer);
}

std::size_t payload_bytes(const LinkView& link) {
  return link.ciphertext().size() - kSealTagSize;
}

/// Which of its words a link's line has beside the ids.
std::string words_of(const CheckedLink& link, std::optional<bool> opened) {
  const LinkFields& fields = link.link.fields();
  std::string out = "epoch ";
  out.append(std::to_string(fields.epoch)).append("  by ").append(writer_name(fields));
  if (link.signed_by == SignedBy::vouched) out.append(" (the admin's word)");
  out.append("  refs ").append(std::to_string(link.link.ref_count()));
  out.append("  payload ").append(std::to_string(payload_bytes(link.link))).append(" B");
  if (opened && !*opened) out.append(" that does not open");
  if (fields.earlier == Earlier::dropped) out.append("  drops earlier links");
  return out;
}

json::object json_of(const CheckedLink& link) {
  const LinkFields& fields = link.link.fields();
  json::array refs;
  for (std::size_t i = 0; i < link.link.ref_count(); ++i)
    refs.emplace_back(link.link.ref(i).text());
  json::object out{{"seq", fields.seq},
                   {"link", link.id.text()},
                   {"type", type_name(fields.type)},
                   {"prev", fields.prev.text()},
                   {"epoch", fields.epoch},
                   {"writer", writer_name(fields)},
                   {"signature", to_base64url(link.link.signature().bytes)},
                   {"checked", link.signed_by == SignedBy::key ? "signature" : "vouched"},
                   {"payload_bytes", payload_bytes(link.link)},
                   {"refs", std::move(refs)}};
  if (fields.earlier == Earlier::dropped) out["drops_earlier"] = true;
  return out;
}

/// What the payload of a link is to this reader.
Result<Bytes> opened_payload(const ChainKeys& keys, const LinkView& link) {
  const std::uint32_t epoch = link.fields().epoch;
  const ReadSecret* secret = keys.of(epoch);
  if (secret == nullptr) {
    return fail(Errc::denied, "the capability does not open read epoch " + std::to_string(epoch));
  }
  auto payload = open_payload(link_key_of(*secret), link);
  if (!payload) return fail(Errc::corrupt, "the payload does not open: its writer sealed it wrong");
  return payload;
}

Exit write_payload(const Bytes& payload, const std::string& file, World& world) {
  const auto write = [&payload](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(payload.data()),
              static_cast<std::streamsize>(payload.size()));
    out.flush();
    return static_cast<bool>(out);
  };
  if (file.empty()) {
    return write(world.out) ? Exit::ok
                            : tell(fail(Errc::full, "the output cannot be written"), world);
  }
  OutputFile out(file);
  if (const auto opened = out.open(); !opened) {
    return tell(fail(Errc::full, opened.error().detail), world);
  }
  if (!write(out.stream())) return tell(fail(Errc::full, file + ": cannot be written"), world);
  if (const auto kept = out.keep(); !kept)
    return tell(fail(Errc::full, kept.error().detail), world);
  return Exit::ok;
}

/// The link is fetched once more when the keys are known: only its id was kept.
Exit log_payload(const ChainArguments& arguments, ChainSession& session, World& world) {
  std::optional<LinkId> wanted;
  const auto walked = session.walk_to_head([&](const CheckedLink& link) -> Result<void> {
    if (link.link.fields().seq == arguments.payload) wanted = link.id;
    return ok();
  });
  if (!walked) return tell(walked.error(), world);
  session.remember();
  const std::string seq = std::to_string(arguments.payload);
  if (!wanted) return tell(fail(Errc::not_found, "the chain has no link at seq " + seq), world);
  const auto page = session.client().links(arguments.payload, 1);
  if (!page) return tell(page.error(), world);
  if (page.value().empty() || link_id_of(page.value().front()) != *wanted) {
    return tell(session.break_off("another link is shown at seq " + seq + " than before"), world);
  }
  const auto link = LinkView::parse(page.value().front());
  auto payload = opened_payload(session.keys(), link.value());
  if (!payload) return tell(payload.error(), world);
  const Exit code = write_payload(payload.value(), arguments.output, world);
  wipe(payload.value());
  return code;
}

/// Prints links as they were checked; of a follower until it has shown enough.
class LinkPrinter {
 public:
  LinkPrinter(const ChainArguments& arguments, const ChainSession& session, World& world)
      : arguments_(arguments), session_(session), world_(world) {}

  Result<void> operator()(const CheckedLink& link) {
    const std::uint64_t seq = link.link.fields().seq;
    if (seq < from_ || enough()) return ok();
    from_ = seq + 1;
    ++printed_;
    print_link(link, session_.keys().of(link.link.fields().epoch), arguments_.payloads,
               arguments_.json, world_);
    return ok();
  }
  void begin_at(std::uint64_t seq) { from_ = seq; }
  bool enough() const { return arguments_.count > 0 && printed_ >= arguments_.count; }

 private:
  const ChainArguments& arguments_;
  const ChainSession& session_;
  World& world_;
  std::uint64_t from_ = 1;
  std::uint64_t printed_ = 0;
};

Result<void> follow_on(ChainSession& session, LinkPrinter& printer, World& world) {
  const auto print = [&printer](const CheckedLink& link) { return printer(link); };
  for (;;) {
    CAIRN_TRY(session.walk_to_head(print));
    world.out.flush();
    session.remember();
    if (printer.enough() || session.state().removed || !world.out) return ok();
    const auto asked = std::chrono::steady_clock::now();
    CAIRN_TRY(session.wait_for_news());
    const auto took = std::chrono::steady_clock::now() - asked;
    const bool news = session.claimed().position.seq > session.state().seq;
    if (!news && took < kLeastWait) AdminClient::pause(kLeastWait);
  }
}

/// Asks in groups which of the refs the node does not hold.
class RefCheck {
 public:
  RefCheck(ChainSession& session, bool json, World& world)
      : session_(session), json_(json), world_(world) {}

  Result<void> add(const LinkView& link) {
    for (std::size_t i = 0; i < link.ref_count(); ++i) waiting_.push_back(link.ref(i));
    refs_ += link.ref_count();
    return waiting_.size() >= kMaxIdsPerCall ? ask() : ok();
  }
  Result<void> ask() {
    std::sort(waiting_.begin(), waiting_.end());
    waiting_.erase(std::unique(waiting_.begin(), waiting_.end()), waiting_.end());
    CAIRN_TRY(const std::vector<BlockId> lacking, session_.client().missing(waiting_));
    waiting_.clear();
    for (const BlockId& id : lacking) {
      world_.out << (json_ ? "{\"missing\":\"" + id.text() + "\"}" : "missing  " + id.text())
                 << '\n';
    }
    missing_ += lacking.size();
    return ok();
  }
  std::uint64_t refs() const { return refs_; }
  std::uint64_t missing() const { return missing_; }

 private:
  ChainSession& session_;
  const bool json_;
  World& world_;
  std::vector<BlockId> waiting_;
  std::uint64_t refs_ = 0;
  std::uint64_t missing_ = 0;
};

void print_verdict(const ChainSession& session, const RefCheck& refs, bool as_json, World& world) {
  const ChainState& state = session.state();
  const std::uint64_t links = state.seq + 1 - session.first_seq();
  if (as_json) {
    json::object out{{"chain", state.chain.text()},  {"links", links},
                     {"first", session.first_seq()}, {"seq", state.seq},
                     {"link", state.head.text()},    {"epoch", state.epoch},
                     {"refs", refs.refs()},          {"refs_missing", refs.missing()}};
    if (state.removed) out["deleted"] = true;
    world.out << json::serialize(out) << '\n';
    return;
  }
  world.out << state.chain.text() << ": " << links << " links";
  if (links > 0) world.out << " (seq " << session.first_seq() << " to " << state.seq << ")";
  world.out << ", epoch " << state.epoch << ", head " << state.head.text() << ", " << refs.refs()
            << " refs, " << refs.missing() << " missing" << (state.removed ? ", deleted" : "")
            << '\n';
}

}  // namespace

void print_link(const CheckedLink& link, const ReadSecret* secret, bool payload, bool as_json,
                World& world) {
  std::optional<Result<Bytes>> opened;
  if (secret != nullptr) opened = open_payload(link_key_of(*secret), link.link);
  const std::optional<bool> opens = opened ? std::optional(opened->has_value()) : std::nullopt;
  if (as_json) {
    json::object out = json_of(link);
    if (opens) out["opens"] = *opens;
    if (payload && opens == true) out["payload"] = to_base64url(opened->value());
    world.out << json::serialize(out) << '\n';
  } else {
    world.out << link.link.fields().seq << "  " << type_name(link.link.fields().type) << "  "
              << link.id.text() << "  prev " << link.link.fields().prev.text() << "  "
              << words_of(link, opens) << '\n';
  }
  if (opens == true) wipe(opened->value());
}

Exit chain_log(const ChainArguments& arguments, const ChainOptions& options, World& world) {
  const auto capability = read_capability(arguments.capability, world);
  if (!capability) return tell(capability.error(), world);
  const bool reads = !std::holds_alternative<VerifyCapability>(capability.value());
  if (!reads && (arguments.payload > 0 || arguments.payloads)) {
    world.err << "cairn: this capability verifies and opens no payloads\n";
    return Exit::usage;
  }
  ChainSession session(options, capability.value(), world);
  auto done = session.open();
  if (!done) return tell(done.error(), world);
  if (arguments.payload > 0) return log_payload(arguments, session, world);
  done = session.learn_keys();
  if (!done) return tell(done.error(), world);
  LinkPrinter printer(arguments, session, world);
  printer.begin_at(arguments.from);
  done = session.walk_to_head([&printer](const CheckedLink& link) { return printer(link); });
  if (!done) return tell(done.error(), world);
  session.remember();
  return Exit::ok;
}

Exit chain_follow(const ChainArguments& arguments, const ChainOptions& options, World& world) {
  const auto capability = read_capability(arguments.capability, world);
  if (!capability) return tell(capability.error(), world);
  ChainSession session(options, capability.value(), world);
  auto done = session.open();
  if (done) done = session.learn_keys();
  if (!done) return tell(done.error(), world);
  LinkPrinter printer(arguments, session, world);
  // Without a place to begin at, what comes from now on.
  printer.begin_at(arguments.from > 0 ? arguments.from : session.claimed().position.seq + 1);
  done = follow_on(session, printer, world);
  return done ? Exit::ok : tell(done.error(), world);
}

Exit chain_verify(const ChainArguments& arguments, const ChainOptions& options, World& world) {
  const auto capability = read_capability(arguments.capability, world);
  if (!capability) return tell(capability.error(), world);
  ChainSession session(options, capability.value(), world);
  auto done = session.open();
  if (!done) return tell(done.error(), world);
  Progress progress(world.err, options.progress, "verified", std::nullopt);
  progress.count("links", session.claimed().position.seq + 1 - session.first_seq());
  session.show_beside(&progress);
  RefCheck refs(session, arguments.json, world);
  done = session.walk_to_head([&](const CheckedLink& link) -> Result<void> {
    progress.advance(link.link.raw().size());
    return refs.add(link.link);
  });
  if (done) done = refs.ask();
  if (!done) {
    progress.clear_line();
    return tell(done.error(), world);
  }
  progress.finish(0);
  session.remember();
  print_verdict(session, refs, arguments.json, world);
  return refs.missing() > 0 ? Exit::partial : Exit::ok;
}

}  // namespace cairn::cli
