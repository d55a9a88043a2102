// See sha256.h.
#include "sha256.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace cairn::bench {

Sha256::Sha256()
    : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
  if (algorithm_ == nullptr || context_ == nullptr) {
    throw std::runtime_error("OpenSSL has no SHA-256");
  }
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(context_);
  EVP_MD_free(algorithm_);
}

Digest Sha256::digest(std::string_view first, std::string_view second) {
  Digest out;
  unsigned length = 0;
  if (EVP_DigestInit_ex2(context_, algorithm_, nullptr) != 1 ||
      EVP_DigestUpdate(context_, first.data(), first.size()) != 1 ||
      EVP_DigestUpdate(context_, second.data(), second.size()) != 1 ||
      EVP_DigestFinal_ex(context_, out.data(), &length) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  return out;
}

std::string hex(const Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

}  // namespace cairn::bench
