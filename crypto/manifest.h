// Manifests, the format "M1" of docs/formats.md: what a chain is, before its first link. A chain's
// id is the hash of these bytes, so nobody can change who administers it. Plain values; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "crypto/sign.h"

namespace cairn {

/// Writers of a chain, 1 to so many.
inline constexpr std::size_t kMaxWriters = 16;
inline constexpr std::size_t kManifestSaltSize = 16;
/// "M1" | suite | flags | salt | adminPk | boxPk | fetchTokenHash | n.
inline constexpr std::size_t kManifestHeaderSize = 4 + kManifestSaltSize + 3 * 32 + 1;
inline constexpr std::size_t kMaxManifestBytes =
    kManifestHeaderSize + kMaxWriters * PublicKey::kSize;

/// Who may fetch a chain's links from the server.
enum class Reads : std::uint8_t {
  open,   ///< Whoever knows the chain's id.
  gated,  ///< Whoever shows the fetch token.
};

/// What can change in the life of a chain: first said by the manifest, then by each rotate link.
struct ChainAccess {
  std::array<std::uint8_t, 32> box{};               ///< X25519: others seal to the readers with it.
  std::array<std::uint8_t, 32> fetch_token_hash{};  ///< SHA-256 of the fetch token, or zeros.
  std::vector<PublicKey> writers;  ///< 1 to kMaxWriters; a link names one by place.

  bool has_fetch_token() const;
  friend bool operator==(const ChainAccess&, const ChainAccess&) = default;
};

struct Manifest {
  Reads reads = Reads::open;
  std::array<std::uint8_t, kManifestSaltSize> salt{};
  PublicKey admin;
  ChainAccess access;

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

/// The manifest's bytes; the number of writers is between 1 and kMaxWriters.
Bytes manifest_bytes(const Manifest& manifest);

/// Strict inverse of manifest_bytes. malformed for any other length, magic, suite or flag, for a
/// number of writers out of range, a key that is_valid() refuses, and a gated chain without a
/// fetch token (nobody could ever read it).
Result<Manifest> parse_manifest(ByteView raw);

/// SHA-256 of the manifest.
ChainId chain_id_of(ByteView manifest);

}  // namespace cairn
