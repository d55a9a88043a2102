#include "node/cli/chain_session.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <ostream>

#include "base/utf8.h"
#include "node/cli/capability_file.h"

namespace cairn::cli {
namespace {

constexpr int kMostRestarts = 8;

boost::json::object position_json(const ChainPosition& position, const Bytes& bytes) {
  boost::json::object out{{"seq", position.seq}, {"link", position.link.text()}};
  if (!bytes.empty()) out["bytes"] = to_base64url(bytes);
  return out;
}

void tell_position(std::ostream& err, std::string_view what, const ChainPosition& position,
                   const Bytes& bytes) {
  err << "  " << what << ": seq " << position.seq << ", link " << position.link.text() << '\n';
  if (!bytes.empty()) err << "    " << to_base64url(bytes) << '\n';
}

Result<void> pass_over(const CheckedLink&) {
  return ok();
}

}  // namespace

Exit tell(const Error& error, World& world) {
  // A breach has been told with its evidence.
  if (!error.detail.empty()) world.err << "cairn: " << printable(error.detail) << '\n';
  return exit_for(error);
}

ChainSession::ChainSession(const ChainOptions& options, const Capability& capability, World& world)
    : options_(options),
      world_(world),
      client_(options.server, chain_of(capability)),
      memory_(options.heads_file),
      keys_(capability) {
  if (const auto secret = keys_.newest()) client_.show_token(fetch_token_of(*secret));
}

Result<void> ChainSession::open() {
  CAIRN_TRY(remembered_, memory_.load(client_.chain()));
  auto manifest = client_.manifest();
  if (!manifest) {
    if (manifest.error().code != Errc::not_found || !remembered_) return manifest.error();
    // It was there: no chain at all is the shortest that a node can show.
    const ChainPosition none{0, *LinkId::from_bytes(client_.chain().view())};
    return tell_breach({ChainBreach::Kind::rolled_back,
                        "the node says that it has no such chain; it was at seq " +
                            std::to_string(remembered_->position.seq),
                        remembered_->position, none});
  }
  manifest_ = std::move(manifest.value());
  return begin();
}

Result<void> ChainSession::begin() {
  CAIRN_TRY(walk_, ChainWalk::of(manifest_, client_.chain()));
  newest_.clear();
  rotate_before_.clear();
  if (remembered_) walk_->remember(remembered_->position);
  CAIRN_TRY(const ClaimedHead head, client_.head());
  CAIRN_TRY(claim(head));
  keys_.begin(walk_->state());
  first_seq_ = claimed_.trimmed_before;
  if (first_seq_ == 1) return ok();
  CAIRN_TRY(start_trimmed());
  // A later checkpoint may have dropped more since the head was told.
  first_seq_ = walk_->state().seq + 1;
  return ok();
}

Result<void> ChainSession::claim(const ClaimedHead& head) {
  if (!walk_->claim(head.position)) {
    // The other link is evidence where the node shows it; without it the claim is.
    shown_.clear();
    const auto other = client_.links(std::max<std::uint64_t>(head.position.seq, 1), 1);
    if (other && !other.value().empty()) shown_ = other.value().front();
    return tell_breach(walk_->breach());
  }
  claimed_ = head;
  return ok();
}

Result<Bytes> ChainSession::link_at(std::uint64_t seq) {
  CAIRN_TRY(std::vector<Bytes> page, client_.links(seq, 1));
  if (page.empty()) return break_off("the link at seq " + std::to_string(seq) + " is missing");
  shown_ = page.front();
  return std::move(page.front());
}

/// ChainWalk has the rules; this fetches what they ask for.
Result<void> ChainSession::start_trimmed() {
  CAIRN_TRY(const Bytes checkpoint, link_at(first_seq_));
  const std::uint64_t rotated_at = claimed_.rotated_at;
  if (rotated_at == 0) {
    if (!walk_->start_at(checkpoint, std::nullopt)) return tell_breach(walk_->breach());
    return ok();
  }
  if (rotated_at < first_seq_) {
    CAIRN_TRY(rotate_before_, link_at(rotated_at));
    if (!walk_->start_at(checkpoint, rotate_before_)) return tell_breach(walk_->breach());
    keys_.begin(walk_->state());
    return ok();
  }
  if (!walk_->start_vouched(checkpoint, rotated_at)) return tell_breach(walk_->breach());
  while (const auto seq = walk_->to_vouch()) {
    const std::uint64_t left = rotated_at - *seq + 1;
    CAIRN_TRY(const std::vector<Bytes> page,
              client_.links(*seq, std::min<std::uint64_t>(left, kMaxLinksPerCall)));
    if (page.empty()) return break_off("links are missing");
    for (const Bytes& raw : page) {
      shown_ = raw;
      if (!walk_->vouch(raw)) return tell_breach(walk_->breach());
    }
  }
  return ok();
}

/// False: the walk begins anew.
Result<bool> ChainSession::take(const Bytes& raw, const Visit& visit) {
  shown_ = raw;
  const auto taken = walk_->take(raw);
  if (!taken) {
    CAIRN_TRY(const bool trimmed, was_trimmed_beyond(raw));
    if (trimmed) return false;
    return tell_breach(walk_->breach());
  }
  newest_ = raw;
  keys_.see(taken->epoch_before, taken->link);
  const ChainPosition here = walk_->position();
  if (!remembered_ || here.seq > remembered_->position.seq) remembered_ = SeenHead{here, raw};
  CAIRN_TRY(visit(*taken));
  return true;
}

/// Whether a checkpoint dropped links between two pages.
Result<bool> ChainSession::was_trimmed_beyond(const Bytes& raw) {
  const auto link = LinkView::parse(raw);
  if (!link || link.value().fields().seq <= walk_->state().seq + 1) return false;
  CAIRN_TRY(const ClaimedHead head, client_.head());
  const bool trimmed = head.trimmed_before > walk_->state().seq + 1;
  if (!trimmed || ++restarts_ > kMostRestarts) return false;
  CAIRN_TRY(begin());
  return true;
}

Result<void> ChainSession::walk_to_head(const Visit& visit) {
  while (walk_->state().seq < claimed_.position.seq) {
    CAIRN_TRY(const std::vector<Bytes> page,
              client_.links(walk_->state().seq + 1, kMaxLinksPerCall));
    if (page.empty()) return break_off("links are missing");
    for (const Bytes& raw : page) {
      CAIRN_TRY(const bool taken, take(raw, visit));
      if (!taken) break;
    }
  }
  return ok();
}

Result<void> ChainSession::refresh() {
  CAIRN_TRY(const ClaimedHead head, client_.head());
  return claim(head);
}

Result<void> ChainSession::wait_for_news() {
  CAIRN_TRY(const std::optional<ClaimedHead> head, client_.wait_beyond(walk_->position()));
  return head ? claim(*head) : ok();
}

Result<void> ChainSession::rewind() {
  return begin();
}

Result<void> ChainSession::learn_keys() {
  // Without a rotation the capability has its secret or none.
  if (claimed_.rotated_at == 0 || !keys_.newest()) return ok();
  CAIRN_TRY(walk_to_head(pass_over));
  return rewind();
}

Result<void> ChainSession::take_own(std::span<const Bytes> links) {
  for (const Bytes& raw : links) {
    CAIRN_TRY(const bool taken, take(raw, pass_over));
    if (!taken) return ok();
  }
  return ok();
}

Error ChainSession::break_off(std::string words) {
  shown_.clear();
  walk_->break_off(std::move(words));
  return tell_breach(walk_->breach());
}

void ChainSession::remember() {
  if (!remembered_) return;
  const auto saved = memory_.save(client_.chain(), *remembered_);
  if (!saved) world_.err << "cairn: " << printable(saved.error().detail) << '\n';
}

Bytes ChainSession::bytes_of(const ChainPosition& position) {
  for (const Bytes* bytes : {&shown_, &newest_}) {
    if (!bytes->empty() && link_id_of(*bytes) == position.link) return *bytes;
  }
  if (remembered_ && remembered_->position == position) return remembered_->link;
  return {};
}

/// Both links to whoever has to judge: on standard output with --json, else beside the words.
Error ChainSession::tell_breach(const ChainBreach& breach) {
  if (progress_ != nullptr) progress_->clear_line();
  const Bytes ours = bytes_of(breach.ours);
  const Bytes theirs = bytes_of(breach.theirs);
  if (options_.json) {
    world_.out << boost::json::serialize(
                      boost::json::object{{"error", name_of(breach.kind)},
                                          {"chain", client_.chain().text()},
                                          {"words", breach.words},
                                          {"ours", position_json(breach.ours, ours)},
                                          {"theirs", position_json(breach.theirs, theirs)}})
               << '\n';
  }
  world_.err << "cairn: " << name_of(breach.kind) << ": " << printable(breach.words) << '\n';
  if (!options_.json) {
    tell_position(world_.err, "held against", breach.ours, ours);
    tell_position(world_.err, "the node shows", breach.theirs, theirs);
  }
  return fail(Errc::corrupt);
}

}  // namespace cairn::cli
