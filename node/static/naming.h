// What a file's name says about it: its media type, and whether it never changes. Pure; any thread.
#pragma once

#include <string_view>

namespace cairn::site {

/// By the extension, ASCII case ignored; text is UTF-8. application/octet-stream where it is
/// unknown, which together with nosniff runs nowhere.
std::string_view media_type_of(std::string_view name);

/// Whether the name holds a hash of the content, as front-end builds make them (app-1a2b3c4d.js,
/// index.BfT7xK2p.css): between a '-', '.' or '_' and the extension, 8 letters and digits or more
/// that are hexadecimal with both kinds, or that switch between the kinds as no word or date does.
bool has_content_hash(std::string_view name);

}  // namespace cairn::site
