// The suites of BlockStore, ChainStore and AccountStore on RocksDB: as it is, and with what is in
// memory pushed to disk by reopening.
#include "tests/conformance/account_store_suite.h"
#include "tests/conformance/chain_store_suite.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

class RocksHarness {
 public:
  RocksHarness() { open(); }
  BlockStore& store() { return storage_->blocks(); }
  BlockStore& blocks() { return storage_->blocks(); }
  ChainStore& chains() { return storage_->chains(); }
  AccountStore& accounts() { return storage_->accounts(); }
  void reopen() {
    storage_.reset();
    open();
  }

 private:
  void open() {
    auto opened = Storage::open(small_store(directory_.path()), clock_, random_, log_);
    if (opened.has_error()) throw std::runtime_error(opened.error().detail);
    storage_ = std::move(opened).value();
  }

  TemporaryDirectory directory_;
  SystemClock clock_;
  SystemRandom random_;
  NullLog log_;
  std::unique_ptr<Storage> storage_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Rocks, BlockStoreSuite, RocksHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(Rocks, ChainStoreSuite, RocksHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(Rocks, AccountStoreSuite, RocksHarness);

}  // namespace
}  // namespace cairn
