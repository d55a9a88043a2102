#include "crypto/manifest.h"

#include <algorithm>

#include "base/assert.h"
#include "crypto/hash.h"
#include "crypto/keys.h"

namespace cairn {
namespace {

constexpr std::array<std::uint8_t, 3> kStart{'M', '1', kSuite1};
constexpr std::uint8_t kGatedFlag = 1;

void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Copies the next bytes of `rest`, which are there, and takes them off.
void take(ByteView& rest, MutableByteView out) {
  std::copy_n(rest.begin(), out.size(), out.begin());
  rest = rest.subspan(out.size());
}

}  // namespace

bool ChainAccess::has_fetch_token() const {
  return std::any_of(fetch_token_hash.begin(), fetch_token_hash.end(),
                     [](std::uint8_t byte) { return byte != 0; });
}

Bytes manifest_bytes(const Manifest& manifest) {
  const ChainAccess& access = manifest.access;
  CAIRN_ASSERT(!access.writers.empty() && access.writers.size() <= kMaxWriters);
  Bytes out(kStart.begin(), kStart.end());
  out.reserve(kManifestHeaderSize + access.writers.size() * PublicKey::kSize);
  out.push_back(manifest.reads == Reads::gated ? kGatedFlag : 0);
  append(out, manifest.salt);
  append(out, manifest.admin.bytes);
  append(out, access.box);
  append(out, access.fetch_token_hash);
  out.push_back(static_cast<std::uint8_t>(access.writers.size()));
  for (const PublicKey& writer : access.writers) append(out, writer.bytes);
  return out;
}

Result<Manifest> parse_manifest(ByteView raw) {
  if (raw.size() < kManifestHeaderSize || raw.size() > kMaxManifestBytes) {
    return fail(Errc::malformed, "a manifest has 149 to 629 bytes");
  }
  if (!std::equal(kStart.begin(), kStart.end(), raw.begin())) {
    return fail(Errc::malformed, "not a manifest of suite 1");
  }
  ByteView rest = raw.subspan(kStart.size());
  if ((rest[0] & ~kGatedFlag) != 0) return fail(Errc::malformed, "unknown manifest flags");
  Manifest out;
  out.reads = rest[0] == kGatedFlag ? Reads::gated : Reads::open;
  rest = rest.subspan(1);
  take(rest, out.salt);
  take(rest, out.admin.bytes);
  take(rest, out.access.box);
  take(rest, out.access.fetch_token_hash);
  const std::size_t writers = rest[0];
  rest = rest.subspan(1);
  if (writers == 0 || writers > kMaxWriters || rest.size() != writers * PublicKey::kSize) {
    return fail(Errc::malformed, "the manifest's length is not that of its number of writers");
  }
  out.access.writers.resize(writers);
  for (PublicKey& writer : out.access.writers) take(rest, writer.bytes);
  const auto valid = [](const PublicKey& key) { return is_valid(key); };
  if (!valid(out.admin) ||
      !std::all_of(out.access.writers.begin(), out.access.writers.end(), valid)) {
    return fail(Errc::malformed, "a key of the manifest is not a valid Ed25519 key");
  }
  if (out.reads == Reads::gated && !out.access.has_fetch_token()) {
    return fail(Errc::malformed, "the chain is gated and has no fetch token");
  }
  return out;
}

ChainId chain_id_of(ByteView manifest) {
  return *ChainId::from_bytes(sha256_of(manifest));
}

}  // namespace cairn
