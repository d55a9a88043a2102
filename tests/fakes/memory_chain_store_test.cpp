#include "tests/fakes/memory_chain_store.h"

#include <gtest/gtest.h>

#include "base/ticker.h"
#include "tests/conformance/account_store_suite.h"
#include "tests/conformance/chain_store_suite.h"
#include "tests/fakes/memory_account_store.h"
#include "tests/fakes/memory_block_store.h"

namespace cairn {
namespace {

struct MemoryChainHarness {
  ChainStore& chains() { return chains_; }
  BlockStore& blocks() { return blocks_; }
  SystemClock clock_;
  MemoryBlockStore blocks_{clock_};
  MemoryChainStore chains_{blocks_, clock_};
  Ticker expiry_{"expiry", std::chrono::milliseconds(10), [this] { chains_.expire(); }};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, ChainStoreSuite, MemoryChainHarness);

struct MemoryAccountHarness {
  AccountStore& accounts() { return accounts_; }
  MemoryAccountStore accounts_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, AccountStoreSuite, MemoryAccountHarness);

}  // namespace
}  // namespace cairn
