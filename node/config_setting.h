// A setting as a layer spells it, before the schema has judged it: what the TOML reader, the
// environment and --set all turn into. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "node/config_schema.h"

namespace cairn {

enum class Layer : std::uint8_t { defaults, file, environment, command_line };

/// Where a value came from; `where` is ready for messages: "cairn.toml:3:5", "CAIRN_CACHE_MEMORY",
/// "--set cache.memory".
struct Origin {
  Layer layer = Layer::defaults;
  std::string where = "default";
};

/// A TOML value of a kind that no key has (a float, a date, a nested list, a table).
struct OddValue {
  std::string what;
};

/// Text from the environment or --set, which has no TOML types: the key's kind decides.
struct UntypedText {
  std::string text;
};

using SettingValue =
    std::variant<OddValue, UntypedText, std::string, std::int64_t, bool, std::vector<std::string>>;

struct Setting {
  std::string section;
  At at;
  std::string name;
  SettingValue value;
  Origin origin;
};

/// One line for a person; `origin.where` names the place.
struct ConfigError {
  Origin origin;
  std::string message;
};

/// One layer, in the order in which it is written.
struct LayerSettings {
  std::vector<Setting> settings;
  /// How many [[site]] tables there are, and how many [[site.proxy]] in each.
  std::vector<std::size_t> proxies_of_site;
  std::vector<ConfigError> errors;
};

}  // namespace cairn
