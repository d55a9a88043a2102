// An AccountStore in a map, by the same rules as the real one. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/account_store.h"
#include "crypto/account_record.h"

namespace cairn {

class MemoryAccountStore final : public AccountStore {
 public:
  Task<Result<Stored>> put(AccountName name, Bytes record, SignUp sign_up, Deadline) override {
    const auto parsed = read_account_record(record);
    if (!parsed) co_return parsed.error();
    if (parsed.value().handle != name.handle) co_return fail(Errc::malformed, "another handle");
    const std::lock_guard lock(mutex_);
    if (failure_) co_return fail(*failure_, "the test wants it so");
    const auto held = accounts_.find(name);
    if (held == accounts_.end()) {
      if (!sign_up.allowed) co_return fail(Errc::denied, "no sign-ups");
      if (sign_up.needs_invite && invites_.erase({name.site, sign_up.invite_hash}) == 0) {
        co_return fail(Errc::denied, "no such invite");
      }
      accounts_.emplace(name, Account{.name = name, .record = std::move(record)});
      co_return Stored::created;
    }
    const auto verdict = judge_account_change(held->second.record, record);
    if (!verdict) co_return verdict.error();
    if (verdict.value() == AccountChange::same) co_return Stored::held;
    held->second.record = std::move(record);
    co_return Stored::created;
  }

  Task<Result<Account>> get(AccountName name, Deadline) override {
    const std::lock_guard lock(mutex_);
    if (failure_) co_return fail(*failure_, "the test wants it so");
    const auto found = accounts_.find(name);
    if (found == accounts_.end()) co_return fail(Errc::not_found, "no such account");
    co_return found->second;
  }

  Task<Result<void>> remove(AccountName name, Deadline) override {
    const std::lock_guard lock(mutex_);
    accounts_.erase(name);
    co_return ok();
  }

  Task<Result<void>> set_blocked(AccountName name, bool blocked, Deadline) override {
    const std::lock_guard lock(mutex_);
    const auto found = accounts_.find(name);
    if (found == accounts_.end()) co_return fail(Errc::not_found, "no such account");
    found->second.blocked = blocked;
    co_return ok();
  }

  Task<Result<std::vector<Account>>> list(std::string site, std::string after, std::size_t limit,
                                          Deadline) override {
    const std::lock_guard lock(mutex_);
    std::vector<Account> out;
    for (const auto& [name, account] : accounts_) {
      const bool wanted = name.site == site && name.handle > after && out.size() < limit;
      if (wanted) out.push_back(account);
    }
    co_return out;
  }

  Task<Result<void>> add_invite(std::string site, std::array<std::uint8_t, 32> code_hash,
                                Deadline) override {
    const std::lock_guard lock(mutex_);
    invites_.emplace(std::move(site), code_hash);
    co_return ok();
  }

  /// Every call to put() and get() fails with `code` until told otherwise.
  void set_failure(std::optional<Errc> code) {
    const std::lock_guard lock(mutex_);
    failure_ = code;
  }

 private:
  std::mutex mutex_;
  std::map<AccountName, Account> accounts_;
  std::set<std::pair<std::string, std::array<std::uint8_t, 32>>> invites_;
  std::optional<Errc> failure_;
};

}  // namespace cairn
