// Fuzz target: the bodies of POST /v1/live and of a login.
#include "node/api/live_request.h"

#include <set>

#include "base/assert.h"
#include "node/api/login_request.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto starts = cairn::api::parse_live_request(text);
  if (starts) {
    CAIRN_ASSERT(!starts.value().empty());
    CAIRN_ASSERT(starts.value().size() <= cairn::api::kMaxLiveChains);
    std::set<cairn::ChainId> chains;
    for (const auto& start : starts.value()) CAIRN_ASSERT(chains.insert(start.chain).second);
  }
  const auto login = cairn::api::parse_login_request(text);
  CAIRN_ASSERT(login.has_value() || login.error().code == cairn::Errc::malformed);
  return 0;
}
