// Fuzz target: the JSON body of `missing` and `fetch`. What is taken, written plainly, is taken as
// the same list; nothing longer than the limit is.
#include "node/api/id_list.h"

#include <string>

#include "base/assert.h"
#include "base/block_id_text.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLimit = 8;
  const auto text = cairn::as_text({data, size});
  const auto ids = cairn::api::parse_id_list(text, kLimit);
  if (!ids) {
    CAIRN_ASSERT(ids.error().code == cairn::Errc::malformed ||
                 ids.error().code == cairn::Errc::overloaded);
    return 0;
  }
  CAIRN_ASSERT(ids.value().size() <= kLimit);
  std::string again = R"({"ids":[)";
  for (std::size_t i = 0; i < ids.value().size(); ++i) {
    const auto& id = ids.value()[i];
    again += (i == 0 ? "\"" : ",\"") + (i % 2 == 0 ? id.text() : cairn::cid_text(id)) + "\"";
  }
  again += "]}";
  CAIRN_ASSERT(cairn::api::parse_id_list(again, kLimit).value() == ids.value());
  CAIRN_ASSERT(ids.value().empty() || !cairn::api::parse_id_list(again, ids.value().size() - 1));
  return 0;
}
