// Reads account.json back with the product's own code.
#include <gtest/gtest.h>

#include "crypto/account_record.h"
#include "tests/vectors/vector_file.h"

namespace cairn {
namespace {

namespace json = boost::json;

class AccountVectors : public VectorFile {
 protected:
  AccountVectors() : VectorFile(CAIRN_VECTORS_DIR "/account.json") {}

  static bool passes(const json::value& one) {
    const auto message = login_message(text(one, "handle"), text(one, "host"), text(one, "nonce"),
                                       *parse_login_action(text(one, "action")));
    return message && verify(*PublicKey::from_bytes(hex(one, "key")), *message,
                             *Signature::from_bytes(hex(one, "signature")));
  }
};

TEST_F(AccountVectors, HandlesAreTold) {
  for (const json::value& one : cases("handles")) {
    EXPECT_EQ(is_handle(as_text(hex(one, "utf8"))), one.at("valid").as_bool()) << text(one, "name");
  }
}

TEST_F(AccountVectors, KeysFollow) {
  for (const json::value& one : cases("keys")) {
    const auto account = *AccountSecret::from_bytes(hex(one, "account_secret"));
    const LoginSeed seed = login_seed_of(account);
    EXPECT_EQ(to_hex(seed.view()), text(one, "login_seed"));
    EXPECT_EQ(to_hex(SigningKey(seed.view()).public_key().bytes), text(one, "login_key"));
    EXPECT_EQ(to_hex(home_write_secret_of(account).view()), text(one, "home_write_secret"));
    EXPECT_EQ(to_hex(home_salt_of(account)), text(one, "home_salt"));
    EXPECT_TRUE(parse_manifest(hex(one, "home_manifest")).has_value());
  }
}

TEST_F(AccountVectors, SlotsWrapAndUnwrap) {
  for (const json::value& one : cases("slots")) {
    const auto slot = *SlotSecret::from_bytes(hex(one, "slot_secret"));
    EXPECT_EQ(to_hex(slot_seed_of(slot).view()), text(one, "slot_seed"));
    EXPECT_EQ(to_hex(wrap_key_of(slot).view()), text(one, "wrap_key"));
    const Bytes wrapped = hex(one, "wrapped");
    EXPECT_EQ(to_hex(unwrap_secret(wrapped, slot).value().view()), text(one, "account_secret"));
    for (std::size_t at = 0; at < wrapped.size(); at += 5) {
      Bytes flipped = wrapped;
      flipped[at] ^= 1U;
      EXPECT_FALSE(unwrap_secret(flipped, slot).has_value()) << at;
    }
  }
}

TEST_F(AccountVectors, RecordsAreReadAndSayWhatTheyShould) {
  for (const json::value& one : cases("records")) {
    const auto record = read_account_record(hex(one, "record"));
    ASSERT_TRUE(record.has_value()) << text(one, "name");
    EXPECT_EQ(record.value().handle, text(one, "handle"));
    EXPECT_EQ(std::to_string(record.value().version), text(one, "version"));
    EXPECT_EQ(to_hex(record.value().login.bytes), text(one, "login_key"));
    EXPECT_EQ(record.value().slots.size(), text(one, "kinds").size());
    EXPECT_EQ(record.value().password() != nullptr,
              text(one, "kinds").find('P') != std::string::npos);
    EXPECT_EQ(to_hex(record.value().slots.front().key.bytes), text(one, "first_slot_key"));
  }
}

TEST_F(AccountVectors, OtherRecordsAreRefusedWithTheRightWord) {
  for (const json::value& one : cases("refused")) {
    const auto record = read_account_record(hex(one, "record"));
    ASSERT_FALSE(record.has_value()) << text(one, "name");
    EXPECT_EQ(name_of(record.error().code), text(one, "error")) << text(one, "name");
    EXPECT_FALSE(record.error().detail.empty()) << text(one, "name");
  }
}

TEST_F(AccountVectors, ReplacementsAreJudged) {
  const Bytes held = hex(cases("records").front(), "record");
  for (const json::value& one : cases("replacements")) {
    const Bytes next = hex(one, "record");
    ASSERT_TRUE(read_account_record(next).has_value());
    const auto change = judge_account_change(held, next);
    const std::string result = !change                                 ? "conflict"
                               : change.value() == AccountChange::same ? "held"
                                                                       : "replaced";
    EXPECT_EQ(result, text(one, "result")) << text(one, "name");
  }
}

TEST_F(AccountVectors, LoginsPassAndOthersDoNot) {
  for (const json::value& one : cases("logins")) {
    const auto message = login_message(text(one, "handle"), text(one, "host"), text(one, "nonce"),
                                       *parse_login_action(text(one, "action")));
    EXPECT_EQ(message, hex(one, "message")) << text(one, "name");
    EXPECT_TRUE(passes(one)) << text(one, "name");
  }
  for (const json::value& one : cases("refused_logins")) {
    EXPECT_FALSE(passes(one)) << text(one, "name");
  }
}

TEST_F(AccountVectors, PartsOverAByteOfLengthMakeNoLogin) {
  EXPECT_FALSE(login_message("ada", std::string(256, 'h'), "n", LoginAction::login));
}

TEST_F(AccountVectors, RecoveryKitsAreReadAndWritten) {
  for (const json::value& one : cases("kits")) {
    const auto slot = *SlotSecret::from_bytes(hex(one, "slot_secret"));
    EXPECT_EQ(recovery_kit_text(slot), text(one, "text"));
    EXPECT_EQ(parse_recovery_kit(text(one, "text")), slot);
  }
  for (const json::value& one : cases("refused_kits")) {
    EXPECT_FALSE(parse_recovery_kit(text(one, "text"))) << text(one, "name");
  }
}

}  // namespace
}  // namespace cairn
