// SHA-256 through OpenSSL's EVP, one context kept. Exists because the load generators and the floor
// must hash exactly as fast as the machine can. One instance belongs to one thread.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;
struct evp_md_st;

namespace cairn::bench {

using Digest = std::array<unsigned char, 32>;

class Sha256 {
 public:
  // Throws std::runtime_error when OpenSSL has no SHA-256.
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  // Digest of both pieces one after the other. Throws std::runtime_error when OpenSSL fails.
  Digest digest(std::string_view first, std::string_view second = {});

 private:
  evp_md_st* algorithm_;
  evp_md_ctx_st* context_;
};

// 64 lower-case hex digits.
std::string hex(const Digest& digest);

}  // namespace cairn::bench
