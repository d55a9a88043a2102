// What tests own accounts with: the secret, its slots, and records as a client makes them. One
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/account_keys.h"
#include "crypto/account_record.h"
#include "crypto/random.h"

namespace cairn {

class AccountOwner {
 public:
  explicit AccountOwner(std::string handle)
      : account_(AccountSecret::random(random_)),
        slot_(SlotSecret::random(random_)),
        login_key_(login_seed_of(account_).view()),
        slot_key_(slot_seed_of(slot_).view()) {
    record_.version = 1;
    record_.login = login_key_.public_key();
    record_.handle = std::move(handle);
    record_.slots.push_back(slot());
  }

  const std::string& handle() const { return record_.handle; }
  AccountRecord& record() { return record_; }
  const SigningKey& login_key() const { return login_key_; }
  const SigningKey& slot_key() const { return slot_key_; }
  Bytes bytes() const { return make_account_record(record_, login_key_); }
  /// The next version, with the present slots.
  Bytes next() {
    ++record_.version;
    return bytes();
  }
  /// The slots of others in the place of all that the account had.
  void change_slot() {
    slot_ = SlotSecret::random(random_);
    slot_key_ = SigningKey(slot_seed_of(slot_).view());
    record_.slots = {slot()};
  }
  Signature sign_login(std::string_view host, std::string_view nonce, LoginAction action) const {
    return slot_key_.sign(*login_message(record_.handle, host, nonce, action));
  }

 private:
  AccountSlot slot() {
    AccountSlot out;
    out.kind = SlotKind::password;
    out.key = slot_key_.public_key();
    out.kdf = PasswordKdf{.memory_kib = 19'456, .passes = 2, .salt = {}};
    random_.fill(out.kdf->salt);
    SealSalt salt{};
    random_.fill(salt);
    out.wrapped = wrap_secret(account_, slot_, salt);
    return out;
  }

  SystemRandom random_;
  AccountSecret account_;
  SlotSecret slot_;
  SigningKey login_key_;
  SigningKey slot_key_;
  AccountRecord record_;
};

}  // namespace cairn
