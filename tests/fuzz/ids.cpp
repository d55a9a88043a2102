// Fuzz target: block ids in both spellings and capability strings. What is read is written back as
// the very same text, so that no thing has two names.
#include "base/assert.h"
#include "base/block_id_text.h"
#include "crypto/capability.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = cairn::as_text({data, size});
  if (const auto id = cairn::parse_block_id(text)) {
    CAIRN_ASSERT(text == id->text() || text == cairn::cid_text(*id));
    CAIRN_ASSERT(cairn::parse_block_id(id->text()) == id);
    CAIRN_ASSERT(cairn::parse_block_id(cairn::cid_text(*id)) == id);
  }
  if (const auto capability = cairn::parse_capability(text)) {
    CAIRN_ASSERT(cairn::capability_text(*capability) == text);
  }
  if (const auto bytes = cairn::from_base64url(text)) {
    CAIRN_ASSERT(cairn::to_base64url(*bytes) == text);
  }
  return 0;
}
