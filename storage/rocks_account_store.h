// RocksAccountStore: accounts in the default column family, under `account/` and `invite/`, written
// by the same group commit as everything else. One change of an account at a time. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/account_store.h"
#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/gate.h"
#include "storage/block_writer.h"
#include "storage/chain_locks.h"
#include "storage/database.h"

namespace cairn {

class RocksAccountStore final : public AccountStore {
 public:
  /// All references outlive the store. `checks` runs what costs a processor.
  RocksAccountStore(Database& database, BlockWriter& writer, BlockingPool& checks,
                    const Clock& clock)
      : database_(database), writer_(writer), checks_(checks), clock_(clock) {}
  /// Waits for writes under way. No call may be.
  ~RocksAccountStore() override;
  RocksAccountStore(const RocksAccountStore&) = delete;
  RocksAccountStore& operator=(const RocksAccountStore&) = delete;

  Task<Result<Stored>> put(AccountName name, Bytes record, SignUp sign_up,
                           Deadline deadline) override;
  Task<Result<Account>> get(AccountName name, Deadline deadline) override;
  Task<Result<void>> remove(AccountName name, Deadline deadline) override;
  Task<Result<void>> set_blocked(AccountName name, bool blocked, Deadline deadline) override;
  Task<Result<std::vector<Account>>> list(std::string site, std::string after, std::size_t limit,
                                          Deadline deadline) override;
  Task<Result<void>> add_invite(std::string site, std::array<std::uint8_t, 32> code_hash,
                                Deadline deadline) override;

  /// Answers whose deadline has passed. Called every now and then.
  void expire() { locks_.expire(clock_.mono()); }

 private:
  struct Change;

  Result<Account> read(const AccountName& name) const;
  /// No records: the very same account is there.
  Result<std::vector<RecordChange>> prepare_put(const AccountName& name, const Bytes& record,
                                                const SignUp& sign_up) const;
  Result<std::vector<RecordChange>> prepare_sign_up(const AccountName& name, const Bytes& record,
                                                    const SignUp& sign_up) const;
  Result<std::vector<Account>> read_page(const std::string& site, const std::string& after,
                                         std::size_t limit) const;
  Task<Result<void>> write(std::shared_ptr<const void> until_settled,
                           std::vector<RecordChange> records, Room room, Deadline deadline);

  Database& database_;
  BlockWriter& writer_;
  BlockingPool& checks_;
  const Clock& clock_;
  ChainLocks locks_;  ///< By a hash of site and handle.
  Gate changes_;
};

}  // namespace cairn
