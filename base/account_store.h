// AccountStore: the one interface through which accounts are kept. A record is bytes here: what it
// means is crypto/'s (docs/formats.md, "Accounts"), and every implementation holds changes to the
// rules there. An account belongs to one site; the same handle at another is somebody else.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/block_store.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"

namespace cairn {

struct AccountName {
  std::string site;
  std::string handle;
  friend auto operator<=>(const AccountName&, const AccountName&) = default;
};

struct Account {
  AccountName name;
  Bytes record;  ///< As it was put, verified then.
  WallTime created{};
  bool blocked = false;  ///< By the operator: no logins.
};

/// What a new account needs beside its record.
struct SignUp {
  bool allowed = true;  ///< False: only accounts that are there are changed.
  bool needs_invite = false;
  std::array<std::uint8_t, 32> invite_hash{};  ///< SHA-256 of the invite's code.
};

/// Implementations are safe to call from any thread. A Task resumes on the caller's executor. Every
/// call ends by its deadline, with Errc::unavailable if need be.
class AccountStore {
 public:
  virtual ~AccountStore() = default;

  /// Durably makes the account (created), or replaces its record by one with a larger version
  /// (created too), or finds the very same record there (held). Errors: malformed, denied (the
  /// signature; no sign-ups; no such invite), conflict (the handle is taken, or the version not
  /// larger), full, overloaded, unavailable.
  virtual Task<Result<Stored>> put(AccountName name, Bytes record, SignUp sign_up,
                                   Deadline deadline) = 0;

  /// Errors: not_found, corrupt, unavailable, overloaded.
  virtual Task<Result<Account>> get(AccountName name, Deadline deadline) = 0;

  /// What is not there is a success. Errors: full, overloaded, unavailable.
  virtual Task<Result<void>> remove(AccountName name, Deadline deadline) = 0;

  /// Errors as get() and remove().
  virtual Task<Result<void>> set_blocked(AccountName name, bool blocked, Deadline deadline) = 0;

  /// At most `limit` of a site's accounts, by handle, behind `after` (empty: from the first).
  virtual Task<Result<std::vector<Account>>> list(std::string site, std::string after,
                                                  std::size_t limit, Deadline deadline) = 0;

  /// One account of the site may be made with the code that hashes to this. Errors as remove().
  virtual Task<Result<void>> add_invite(std::string site, std::array<std::uint8_t, 32> code_hash,
                                        Deadline deadline) = 0;
};

}  // namespace cairn
