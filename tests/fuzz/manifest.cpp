// Fuzz target: manifests. What is read is written back as the very same bytes, with keys that are
// valid.
#include "crypto/manifest.h"

#include <algorithm>

#include "base/assert.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cairn::ByteView raw(data, size);
  const auto manifest = cairn::parse_manifest(raw);
  if (!manifest) {
    CAIRN_ASSERT(manifest.error().code == cairn::Errc::malformed);
    return 0;
  }
  const cairn::Bytes again = cairn::manifest_bytes(manifest.value());
  CAIRN_ASSERT(std::equal(raw.begin(), raw.end(), again.begin(), again.end()));
  for (const cairn::PublicKey& writer : manifest.value().access.writers) {
    CAIRN_ASSERT(cairn::is_valid(writer));
  }
  return 0;
}
