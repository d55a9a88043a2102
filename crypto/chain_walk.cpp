#include "crypto/chain_walk.h"

#include <utility>

namespace cairn {
namespace {

/// Between a checkpoint that drops and a rotate link behind it; 32 MiB of ids.
constexpr std::uint64_t kMostVouched = std::uint64_t{1} << 20;

std::string at_seq(std::uint64_t seq, std::string_view words) {
  return "seq " + std::to_string(seq) + ": " + std::string(words);
}

}  // namespace

std::string_view name_of(ChainBreach::Kind kind) {
  switch (kind) {
    case ChainBreach::Kind::fork: return "fork";
    case ChainBreach::Kind::rolled_back: return "rollback";
    default: return "broken";
  }
}

Result<ChainWalk> ChainWalk::of(ByteView manifest, const ChainId& chain) {
  if (chain_id_of(manifest) != chain) {
    return fail(Errc::corrupt, "the manifest is not the one that the chain's id names");
  }
  CAIRN_TRY(const Manifest parsed, parse_manifest(manifest));
  return ChainWalk(ChainState::of(parsed, chain));
}

bool ChainWalk::breaks(ChainBreach::Kind kind, std::string words, const ChainPosition& ours,
                       const ChainPosition& theirs) {
  breach_ = {kind, std::move(words), ours, theirs};
  return false;
}

void ChainWalk::break_off(std::string words) {
  breaks(ChainBreach::Kind::broken, at_seq(state_.seq + 1, words), position(),
         claimed_.value_or(ChainPosition{}));
}

bool ChainWalk::claim(const ChainPosition& head) {
  if (remembered_ && head.seq < remembered_->seq) {
    return breaks(ChainBreach::Kind::rolled_back,
                  "the node shows the chain at seq " + std::to_string(head.seq) + "; it was at " +
                      std::to_string(remembered_->seq),
                  *remembered_, head);
  }
  for (const auto& seen : {remembered_, std::optional(position())}) {
    if (seen && head.seq == seen->seq && head.link != seen->link) {
      return breaks(ChainBreach::Kind::fork,
                    "there are two links at seq " + std::to_string(head.seq), *seen, head);
    }
  }
  if (head.seq < state_.seq) {
    return breaks(ChainBreach::Kind::rolled_back, "the node's chain has become shorter", position(),
                  head);
  }
  claimed_ = head;
  return true;
}

std::optional<LinkView> ChainWalk::parsed_at(ByteView raw, std::uint64_t seq) {
  const ChainPosition shown{seq, link_id_of(raw)};
  const auto link = LinkView::parse(raw);
  if (!link) {
    breaks(ChainBreach::Kind::broken, at_seq(seq, link.error().detail), position(), shown);
    return std::nullopt;
  }
  if (link.value().fields().chain != state_.chain || link.value().fields().seq != seq) {
    breaks(ChainBreach::Kind::broken, at_seq(seq, "another link was given in its place"),
           position(), {link.value().fields().seq, shown.link});
    return std::nullopt;
  }
  return link.value();
}

bool ChainWalk::begin_before(ByteView checkpoint) {
  const auto form = LinkView::parse(checkpoint);
  const std::uint64_t seq = form ? form.value().fields().seq : 1;
  const auto link = parsed_at(checkpoint, seq);
  if (!link) return false;
  const LinkFields& fields = link->fields();
  if (fields.earlier != Earlier::dropped && fields.type != LinkType::remove) {
    return breaks(ChainBreach::Kind::broken,
                  at_seq(seq, "links before it are gone and it is no checkpoint that drops them"),
                  position(), {seq, link_id_of(checkpoint)});
  }
  state_.seq = seq - 1;
  state_.head = fields.prev;
  state_.epoch = fields.epoch;
  state_.first_kept = seq;
  return true;
}

bool ChainWalk::start_at(ByteView checkpoint, std::optional<ByteView> rotate) {
  if (!begin_before(checkpoint)) return false;
  if (!rotate) return true;
  const auto form = LinkView::parse(*rotate);
  const std::uint64_t seq = form ? form.value().fields().seq : 1;
  const auto link = parsed_at(*rotate, seq);
  if (!link) return false;
  const LinkFields& fields = link->fields();
  if (fields.type != LinkType::rotate || seq > state_.seq || fields.epoch != state_.epoch ||
      !link->signed_by(state_.admin)) {
    return breaks(ChainBreach::Kind::broken,
                  at_seq(seq, "it is not the newest rotate link of the chain's admin"), position(),
                  {seq, link_id_of(*rotate)});
  }
  state_.access = *link->access();
  state_.rotated_at = seq;
  return true;
}

bool ChainWalk::start_vouched(ByteView checkpoint, std::uint64_t rotated_at) {
  if (!begin_before(checkpoint)) return false;
  if (rotated_at <= state_.seq || rotated_at - state_.seq > kMostVouched) {
    return breaks(ChainBreach::Kind::broken,
                  "the newest rotate link is too far from the checkpoint", position(),
                  {rotated_at, {}});
  }
  state_.access = {};
  vouch_from_ = state_.first_kept;
  vouch_until_ = rotated_at;
  vouched_.clear();
  return true;
}

std::optional<std::uint64_t> ChainWalk::to_vouch() const {
  const std::uint64_t next = vouch_from_ + vouched_.size();
  return vouch_until_ == 0 || next > vouch_until_ ? std::nullopt : std::optional(next);
}

bool ChainWalk::vouch(ByteView raw) {
  const auto seq = to_vouch();
  if (!seq) return true;
  const auto link = parsed_at(raw, *seq);
  if (!link) return false;
  const LinkId id = link_id_of(raw);
  const LinkId& before = vouched_.empty() ? state_.head : vouched_.back();
  if (link->fields().prev != before) {
    return breaks(ChainBreach::Kind::broken, at_seq(*seq, "it stands on another link"),
                  {*seq - 1, before}, {*seq, id});
  }
  if (*seq == vouch_until_ &&
      (link->fields().type != LinkType::rotate || !link->signed_by(state_.admin))) {
    return breaks(ChainBreach::Kind::broken, at_seq(*seq, "it is no rotate link of the admin"),
                  {*seq - 1, before}, {*seq, id});
  }
  vouched_.push_back(id);
  return true;
}

/// Only where who may write is not known.
bool ChainWalk::is_vouched(const LinkView& link, const LinkId& id) const {
  const LinkFields& fields = link.fields();
  if (!state_.access.writers.empty() || fields.writer == kAdminWriter) return false;
  if (fields.seq < vouch_from_ || to_vouch()) return false;
  const std::uint64_t at = fields.seq - vouch_from_;
  return at < vouched_.size() && vouched_[at] == id && fields.prev == state_.head &&
         fields.seq == state_.seq + 1;
}

std::optional<CheckedLink> ChainWalk::take(ByteView raw) {
  const LinkId id = link_id_of(raw);
  const auto link = LinkView::parse(raw);
  if (!link) {
    breaks(ChainBreach::Kind::broken, at_seq(state_.seq + 1, link.error().detail), position(),
           {state_.seq + 1, id});
    return std::nullopt;
  }
  const LinkFields& fields = link.value().fields();
  const ChainPosition shown{fields.seq, id};
  CheckedLink out{link.value(), id, state_.epoch, SignedBy::key};
  if (is_vouched(link.value(), id)) {
    out.signed_by = SignedBy::vouched;
  } else if (const auto verdict = state_.check_next(link.value()); verdict.has_error()) {
    breaks(ChainBreach::Kind::broken, at_seq(fields.seq, verdict.error().detail), position(),
           shown);
    return std::nullopt;
  }
  if (remembered_ && fields.seq == remembered_->seq && id != remembered_->link) {
    breaks(ChainBreach::Kind::fork, "there are two links at seq " + std::to_string(fields.seq),
           *remembered_, shown);
    return std::nullopt;
  }
  if (claimed_ && fields.seq == claimed_->seq && id != claimed_->link) {
    breaks(ChainBreach::Kind::broken, at_seq(fields.seq, "the node's head names another link"),
           *claimed_, shown);
    return std::nullopt;
  }
  state_.advance(link.value(), id);
  return out;
}

}  // namespace cairn
