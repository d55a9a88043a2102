// The memory tier is a BlockStore like any other: with each policy, when next answers at once and
// when it does not, when there is room for a few blocks only, and when there is no memory at all.
#include "cache/memory_tier.h"
#include "tests/cache/support.h"
#include "tests/conformance/block_store_suite.h"
#include "tests/fakes/memory_block_store.h"

namespace cairn {
namespace {

template <PolicyKind kPolicy, std::size_t kBudgetBytes, bool kAtOnce>
struct TierHarness {
  TierHarness() { next.set_answers_at_once(kAtOnce); }
  BlockStore& store() { return tier; }

  SystemClock clock;
  SeededRandom random{1};
  MemoryBlockStore next{clock};
  MemoryTier tier{{.budget_bytes = kBudgetBytes, .policy = kPolicy}, next, clock, random};
};

constexpr std::size_t kMiB = std::size_t{1} << 20;
using LruTier = TierHarness<PolicyKind::lru, 256 * kMiB, true>;
using SmallLruTier = TierHarness<PolicyKind::lru, kMiB, false>;
using S3FifoTier = TierHarness<PolicyKind::s3_fifo, 256 * kMiB, true>;
using SmallS3FifoTier = TierHarness<PolicyKind::s3_fifo, kMiB, false>;
using TierWithoutMemory = TierHarness<PolicyKind::lru, 0, false>;

INSTANTIATE_TYPED_TEST_SUITE_P(Lru, BlockStoreSuite, LruTier);
INSTANTIATE_TYPED_TEST_SUITE_P(SmallLru, BlockStoreSuite, SmallLruTier);
INSTANTIATE_TYPED_TEST_SUITE_P(S3Fifo, BlockStoreSuite, S3FifoTier);
INSTANTIATE_TYPED_TEST_SUITE_P(SmallS3Fifo, BlockStoreSuite, SmallS3FifoTier);
INSTANTIATE_TYPED_TEST_SUITE_P(WithoutMemory, BlockStoreSuite, TierWithoutMemory);

}  // namespace
}  // namespace cairn
