#include "crypto/chain_append.h"

#include <algorithm>

namespace cairn {

Result<AppendPlan> plan_append(const ChainState& state, std::span<const Bytes> links,
                               const HeldLink& held) {
  AppendPlan plan;
  plan.after = state;
  for (const Bytes& raw : links) {
    CAIRN_TRY(const LinkView link, LinkView::parse(raw));
    const LinkId id = link_id_of(raw);
    const LinkFields& fields = link.fields();
    if (plan.links.empty() && fields.chain == state.chain && fields.seq <= state.seq &&
        held(fields.seq) == id) {
      continue;
    }
    if (auto verdict = plan.after.check_next(link); verdict.has_error()) {
      Error error = std::move(verdict).error();
      if (!plan.links.empty() && error.code == Errc::conflict) {
        return fail(Errc::malformed, "the links do not follow each other");
      }
      return error;
    }
    plan.after.advance(link, id);
    plan.links.push_back({link, id});
  }
  return plan;
}

std::vector<BlockId> refs_of(std::span<const NewLink> links) {
  std::vector<BlockId> out;
  for (const NewLink& added : links) {
    for (std::size_t i = 0; i < added.link.ref_count(); ++i) out.push_back(added.link.ref(i));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace cairn
