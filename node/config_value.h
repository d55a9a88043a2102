// One setting into one field, under the rules of the field's kind. Pure.
#pragma once

#include <optional>
#include <string>

#include "node/config_setting.h"

namespace cairn {

/// Writes `value` to `field`, or leaves it and says what is wrong ("expects true or false, not a
/// text"). Untyped text is read as the kind asks: a list is separated by commas.
[[nodiscard]] std::optional<std::string> set_field(const KeySpec& spec, FieldRef field,
                                                   const SettingValue& value);

}  // namespace cairn
