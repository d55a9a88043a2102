// RecordChange: one record beside the blocks that a batch writes or deletes. A plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cairn {

struct RecordChange {
  enum class Family : std::uint8_t {
    chain,
    pin,
    meta,  ///< The default column family: accounts, and work that a restart must not forget.
  };
  Family family = Family::chain;
  std::string key;
  std::optional<std::string> value;  ///< Nothing: the record is deleted.
};

}  // namespace cairn
