// What every AccountStore must do, as one typed suite. An implementation's test file defines a
// Harness
//     struct Harness { AccountStore& accounts(); };
// that is made anew for each test, includes this header and says
//     INSTANTIATE_TYPED_TEST_SUITE_P(Name, AccountStoreSuite, Harness);
// With `void reopen()` the store is closed and opened again, and must hold what it acknowledged.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <utility>
#include <vector>

#include "base/account_store.h"
#include "base/clock.h"
#include "crypto/hash.h"
#include "tests/conformance/account_owner.h"
#include "tests/fakes/run_task.h"

namespace cairn {

template <class Harness>
class AccountStoreSuite : public ::testing::Test {
 protected:
  AccountStore& accounts() { return harness_.accounts(); }
  Deadline soon() const { return clock_.in(std::chrono::seconds(60)); }
  static AccountName name_of(const AccountOwner& owner, std::string site = "a.example") {
    return {std::move(site), owner.handle()};
  }
  Result<Stored> put(const AccountOwner& owner, Bytes record, SignUp sign_up = {},
                     std::string site = "a.example") {
    return run_task(
        io_, accounts().put(name_of(owner, std::move(site)), std::move(record), sign_up, soon()));
  }
  Result<Account> get(const AccountOwner& owner, std::string site = "a.example") {
    return run_task(io_, accounts().get(name_of(owner, std::move(site)), soon()));
  }
  void maybe_reopen() {
    if constexpr (requires(Harness h) { h.reopen(); }) harness_.reopen();
  }

  SystemClock clock_;
  IoContext io_{1};
  Harness harness_;
};

TYPED_TEST_SUITE_P(AccountStoreSuite);

TYPED_TEST_P(AccountStoreSuite, SignedUpIsFoundAtItsSiteAlone) {
  AccountOwner ada("ada@example.org");
  EXPECT_EQ(this->get(ada).error().code, Errc::not_found);
  EXPECT_EQ(this->put(ada, ada.bytes()).value(), Stored::created);
  EXPECT_EQ(this->put(ada, ada.bytes()).value(), Stored::held);
  this->maybe_reopen();
  EXPECT_EQ(this->get(ada).value().record, ada.bytes());
  EXPECT_FALSE(this->get(ada).value().blocked);
  EXPECT_EQ(this->get(ada, "b.example").error().code, Errc::not_found);
  AccountOwner other("ada@example.org");
  EXPECT_EQ(this->put(other, other.bytes(), {}, "b.example").value(), Stored::created);
  EXPECT_EQ(this->get(ada).value().record, ada.bytes());
}

TYPED_TEST_P(AccountStoreSuite, OnlyTheOwnersLaterVersionReplaces) {
  AccountOwner ada("ada");
  const Bytes first = ada.bytes();
  ASSERT_TRUE(this->put(ada, first).has_value());
  AccountOwner thief("ada");
  EXPECT_EQ(this->put(thief, thief.next()).error().code, Errc::conflict);
  Bytes forged = ada.next();
  forged.back() ^= 1;
  EXPECT_EQ(this->put(ada, forged).error().code, Errc::denied);
  EXPECT_EQ(this->put(ada, ada.bytes()).value(), Stored::created);
  EXPECT_EQ(this->put(ada, first).error().code, Errc::conflict);
  EXPECT_EQ(this->put(ada, Bytes(10, 1)).error().code, Errc::malformed);
  AccountOwner bob("bob");
  EXPECT_EQ(this->put(ada, bob.bytes()).error().code, Errc::malformed) << "another's handle";
  this->maybe_reopen();
  EXPECT_EQ(this->get(ada).value().record, ada.bytes());
}

TYPED_TEST_P(AccountStoreSuite, ClosedTakesChangesAndNoNewAccounts) {
  AccountOwner ada("ada");
  const SignUp closed{.allowed = false, .needs_invite = false, .invite_hash = {}};
  EXPECT_EQ(this->put(ada, ada.bytes(), closed).error().code, Errc::denied);
  ASSERT_TRUE(this->put(ada, ada.bytes()).has_value());
  EXPECT_TRUE(this->put(ada, ada.next(), closed).has_value());
}

TYPED_TEST_P(AccountStoreSuite, InviteIsGoodForOneAccountOfItsSite) {
  AccountOwner ada("ada");
  AccountOwner bob("bob");
  SignUp invited{.allowed = true, .needs_invite = true, .invite_hash = {}};
  EXPECT_EQ(this->put(ada, ada.bytes(), invited).error().code, Errc::denied);
  invited.invite_hash = sha256_of(as_bytes("code"));
  EXPECT_EQ(this->put(ada, ada.bytes(), invited).error().code, Errc::denied);
  ASSERT_TRUE(run_task(this->io_,
                       this->accounts().add_invite("a.example", invited.invite_hash, this->soon()))
                  .has_value());
  this->maybe_reopen();
  EXPECT_EQ(this->put(ada, ada.bytes(), invited, "b.example").error().code, Errc::denied);
  EXPECT_EQ(this->put(ada, ada.bytes(), invited).value(), Stored::created);
  EXPECT_EQ(this->put(bob, bob.bytes(), invited).error().code, Errc::denied);
  const SignUp without{.allowed = true, .needs_invite = true, .invite_hash = {}};
  EXPECT_TRUE(this->put(ada, ada.next(), without).has_value()) << "a change needs no invite";
}

TYPED_TEST_P(AccountStoreSuite, BlockedStaysBlockedThroughAChangeAndRemovedIsGone) {
  AccountOwner ada("ada");
  ASSERT_TRUE(this->put(ada, ada.bytes()).has_value());
  const auto block = [&](bool blocked) {
    return run_task(this->io_,
                    this->accounts().set_blocked(this->name_of(ada), blocked, this->soon()));
  };
  ASSERT_TRUE(block(true).has_value());
  ASSERT_TRUE(this->put(ada, ada.next()).has_value());
  this->maybe_reopen();
  EXPECT_TRUE(this->get(ada).value().blocked);
  ASSERT_TRUE(block(false).has_value());
  EXPECT_FALSE(this->get(ada).value().blocked);
  const auto remove = [&] {
    return run_task(this->io_, this->accounts().remove(this->name_of(ada), this->soon()));
  };
  EXPECT_TRUE(remove().has_value());
  EXPECT_TRUE(remove().has_value());
  this->maybe_reopen();
  EXPECT_EQ(this->get(ada).error().code, Errc::not_found);
  EXPECT_EQ(block(true).error().code, Errc::not_found);
}

TYPED_TEST_P(AccountStoreSuite, PagesAreBySiteInOrder) {
  std::vector<AccountOwner> owners;
  for (const char* handle : {"cia", "ada", "bob", "bob2"}) owners.emplace_back(handle);
  for (const AccountOwner& owner : owners) {
    ASSERT_TRUE(this->put(owner, owner.bytes()).has_value());
  }
  ASSERT_TRUE(this->put(owners[0], owners[0].bytes(), {}, "a.example2").has_value());
  const auto page = [&](std::string after, std::size_t limit) {
    std::vector<std::string> out;
    auto accounts = run_task(
        this->io_, this->accounts().list("a.example", std::move(after), limit, this->soon()));
    for (const Account& account : accounts.value()) out.push_back(account.name.handle);
    return out;
  };
  EXPECT_EQ(page("", 3), (std::vector<std::string>{"ada", "bob", "bob2"}));
  EXPECT_EQ(page("bob", 3), (std::vector<std::string>{"bob2", "cia"}));
  EXPECT_EQ(page("cia", 3), std::vector<std::string>{});
}

TYPED_TEST_P(AccountStoreSuite, RaceForAHandleHasOneWinner) {
  std::vector<AccountOwner> owners;
  for (int i = 0; i < 8; ++i) owners.emplace_back("ada");
  std::vector<Task<Result<Stored>>> tasks;
  for (const AccountOwner& owner : owners) {
    tasks.push_back(
        this->accounts().put(this->name_of(owner), owner.bytes(), SignUp{}, this->soon()));
  }
  int won = 0;
  for (const auto& result : run_tasks(this->io_, std::move(tasks))) {
    won += result.has_value() ? 1 : 0;
    if (!result.has_value()) {
      EXPECT_EQ(result.error().code, Errc::conflict);
    }
  }
  EXPECT_EQ(won, 1);
}

REGISTER_TYPED_TEST_SUITE_P(AccountStoreSuite, SignedUpIsFoundAtItsSiteAlone,
                            OnlyTheOwnersLaterVersionReplaces, ClosedTakesChangesAndNoNewAccounts,
                            InviteIsGoodForOneAccountOfItsSite,
                            BlockedStaysBlockedThroughAChangeAndRemovedIsGone,
                            PagesAreBySiteInOrder, RaceForAHandleHasOneWinner);

}  // namespace cairn
