// UTF-8, strictly (RFC 3629). Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cairn {

/// Length in bytes of the valid sequence at the head of `text` (not empty), or 0: overlong forms,
/// surrogates and what lies past U+10FFFF are invalid.
std::size_t utf8_length(std::string_view text);

/// Whether all of `text` is valid.
bool is_utf8(std::string_view text);

/// `text` with every byte of control characters and of what is no UTF-8 as \xHH: one line, which
/// steers no terminal.
std::string printable(std::string_view text);

}  // namespace cairn
