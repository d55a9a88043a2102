#include "cache/ghost_list.h"

namespace cairn {

void GhostList::add(std::uint32_t tag, std::size_t limit) {
  if (limit > 0) push(tag);
  while (live_ > limit || kept() > 2 * limit) pop();
  if (live_ == 0) {
    ghosts_.chunks.clear();
    ghosts_.first = 0;
    ghosts_.next = 0;
  }
}

void GhostList::push(std::uint32_t tag) {
  if (ghosts_.next % kPerChunk == 0) ghosts_.chunks.push_back(std::make_unique<Chunk>());
  const CacheIndex number = ghosts_.next++;
  Ghost& ghost = ghosts_[number];
  ghost.tag = tag;
  if (number == kNoIndex) {
    // This number ends chains and cannot be in one: the ghost is lost, once in 2^32.
    ghost.chain = number;
    return;
  }
  index_.add(ghosts_, number);
  ++live_;
}

void GhostList::pop() {
  const CacheIndex number = ghosts_.first;
  if (ghosts_[number].chain != number) {
    index_.remove(ghosts_, number);
    --live_;
  }
  ++ghosts_.first;
  if (ghosts_.first % kPerChunk == 0) ghosts_.chunks.pop_front();
}

bool GhostList::take(std::uint32_t tag) {
  CacheIndex i = index_.first(tag);
  while (i != kNoIndex && ghosts_.tag(i) != tag) i = ghosts_.chain(i);
  if (i == kNoIndex) return false;
  index_.remove(ghosts_, i);
  ghosts_.chain(i) = i;
  --live_;
  return true;
}

}  // namespace cairn
