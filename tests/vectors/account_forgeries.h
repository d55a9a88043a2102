// The account that the vectors are made from, and records that must be refused. Owned by the
// generator's one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/account_record.h"
#include "json_text.h"

namespace cairn::vectors {

SigningKey signer_from(std::string_view label);

/// Adds the group's order to S: a lax verifier takes it still.
Signature plus_group_order(Signature signature);

struct AccountWorld {
  AccountSecret account = *AccountSecret::from_bytes(bytes_from("account one", kSecretSize));
  SigningKey login{login_seed_of(account).view()};

  /// A slot whose secret follows from `label`.
  AccountSlot slot(SlotKind kind, std::string_view label) const;
  /// Version 7 of ada@example.org: a password, a recovery kit and a device.
  AccountRecord record() const;
};

std::vector<JsonCase> refused_records(const AccountWorld& world);

}  // namespace cairn::vectors
