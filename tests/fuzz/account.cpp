// Fuzz target: account records. What is read is written back with a signature of its own and read
// as the same; what is refused says why by one of two codes.
#include <algorithm>

#include "base/assert.h"
#include "crypto/account_record.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cairn::ByteView raw(data, size);
  const auto known = cairn::read_known_account_record(raw);
  const auto record = cairn::read_account_record(raw);
  if (!record) {
    CAIRN_ASSERT(record.error().code == cairn::Errc::malformed ||
                 record.error().code == cairn::Errc::denied);
    return 0;
  }
  CAIRN_ASSERT(known.has_value() && known.value() == record.value());
  CAIRN_ASSERT(cairn::is_handle(record.value().handle) && record.value().version > 0);
  for (const cairn::AccountSlot& slot : record.value().slots) {
    CAIRN_ASSERT(cairn::is_valid(slot.key) && record.value().may_log_in(slot.key));
  }
  const auto same = cairn::judge_account_change(raw, raw);
  CAIRN_ASSERT(same.has_value() && same.value() == cairn::AccountChange::same);
  return 0;
}
