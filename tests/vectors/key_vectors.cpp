// keys.json: the key derivation and every key that follows from a write or read secret.
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sign.h"
#include "json_text.h"

namespace cairn::vectors {
namespace {

std::vector<JsonCase> derivations() {
  std::vector<JsonCase> cases;
  const Bytes master = bytes_from("master", kSecretSize);
  const auto secret = SecretView(master.data(), kSecretSize);
  for (const std::uint64_t subkey : {0ULL, 1ULL, 255ULL, 256ULL, 0x0123456789abcdefULL, ~0ULL}) {
    for (const std::string_view context : {"cairn-w1", "cairn-r1", "________"}) {
      std::array<std::uint8_t, kSecretSize> out{};
      kdf(secret, subkey, context, out);
      cases.push_back(JsonCase()
                          .hex("master", master)
                          .text("subkey", std::to_string(subkey))
                          .text("context", context)
                          .hex("key", out));
    }
  }
  return cases;
}

JsonCase keys_of_read(const ReadSecret& read) {
  const FetchToken token = fetch_token_of(read);
  return JsonCase()
      .hex("read_secret", read.view())
      .hex("link_key", link_key_of(read).view())
      .hex("block_key", block_key_of(read).view())
      .hex("box_seed", box_seed_of(read).view())
      .hex("fetch_token", token.view())
      .hex("fetch_token_hash", sha256_of(token.view()));
}

JsonCase keys_of_write(const WriteSecret& write) {
  const SignSeed sign_seed = sign_seed_of(write);
  const AdminSeed admin_seed = admin_seed_of(write);
  return JsonCase()
      .hex("write_secret", write.view())
      .hex("sign_seed", sign_seed.view())
      .hex("writer_public_key", SigningKey(sign_seed).public_key().bytes)
      .hex("read_secret", first_read_secret_of(write).view())
      .hex("admin_seed", admin_seed.view())
      .hex("admin_public_key", SigningKey(admin_seed).public_key().bytes);
}

}  // namespace

std::string key_vectors() {
  std::vector<JsonCase> write_cases;
  std::vector<JsonCase> read_cases;
  for (const std::string_view label : {"write secret a", "write secret b"}) {
    const auto write = *WriteSecret::from_bytes(bytes_from(label, kSecretSize));
    write_cases.push_back(keys_of_write(write));
    read_cases.push_back(keys_of_read(first_read_secret_of(write)));
  }
  const auto later = *ReadSecret::from_bytes(bytes_from("later read epoch", kSecretSize));
  read_cases.push_back(keys_of_read(later));

  JsonFile file(
      "Key derivation. kdf: crypto_kdf_derive_from_key, 32 bytes out (subkey is a u64 in decimal). "
      "write: what follows from a write secret. read: what follows from a read secret.");
  file.section("kdf", derivations());
  file.section("write", write_cases);
  file.section("read", read_cases);
  return file.finish();
}

}  // namespace cairn::vectors
