// What several links come to when they are appended together. Pure: the same for every ChainStore.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "crypto/chain_state.h"

namespace cairn {

struct NewLink {
  LinkView link;
  LinkId id;
};

struct AppendPlan {
  std::vector<NewLink> links;  ///< Those that the chain does not have yet, in order; may be none.
  ChainState after;
};

/// The id of the link that is held at a seq; nothing where none is.
using HeldLink = std::function<std::optional<LinkId>(std::uint64_t seq)>;

/// Checks `links` one after the other, signatures included, against `state`. Links at the front
/// that `held` has under the same id are passed over. Borrows `links`. Errors: those of
/// LinkView::parse and ChainState::check_next; conflict only when it is the first new link that
/// stands on another head or at a taken seq, malformed when links do not follow each other.
Result<AppendPlan> plan_append(const ChainState& state, std::span<const Bytes> links,
                               const HeldLink& held);

/// The blocks that the links refer to, each once, in no order.
std::vector<BlockId> refs_of(std::span<const NewLink> links);

}  // namespace cairn
