// Fuzz target: the Range field and dates. Ranges lie within the representation, never overlap and
// are never many; a date that is read has one spelling.
#include <algorithm>
#include <vector>

#include "base/assert.h"
#include "node/http/conditional.h"
#include "tests/fuzz/input.h"

namespace cairn::fuzz {
namespace {

void check_verdict(const http::RangeVerdict& verdict, std::uint64_t size) {
  using Kind = http::RangeVerdict::Kind;
  CAIRN_ASSERT((verdict.kind == Kind::partial) == !verdict.ranges.empty());
  CAIRN_ASSERT(verdict.ranges.size() <= http::kMaxRanges);
  for (const http::ByteRange& range : verdict.ranges) {
    CAIRN_ASSERT(range.length >= 1 && range.length <= size && range.first <= size - range.length);
  }
  auto sorted = verdict.ranges;
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& left, const auto& right) { return left.first < right.first; });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    CAIRN_ASSERT(sorted[i - 1].first + sorted[i - 1].length <= sorted[i].first);
  }
}

}  // namespace
}  // namespace cairn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cairn::fuzz::Input input(data, size);
  // Small sizes meet the ends of ranges, large ones the ends of numbers.
  const std::uint64_t kind = input.byte();
  const std::uint64_t number = input.number();
  const std::uint64_t representation = kind % 2 == 0 ? number % 64 : number;
  const auto text = input.rest_text();
  cairn::fuzz::check_verdict(cairn::http::parse_range(text, representation), representation);
  if (const auto seconds = cairn::http::parse_http_date(text)) {
    CAIRN_ASSERT(cairn::http::http_date(*seconds) == text);
  }
  return 0;
}
