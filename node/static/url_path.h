// From the path of a URL to a name below a site's root, by refusing whatever could mean anything
// else. Pure; any thread. (What the kernel makes of the name is directory.h's part.)
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cairn::site {

/// `raw` (percent-encoded, without query) decoded, exactly once: begins with '/', ends with one
/// where `raw` does, and has no empty segment in between. Nothing for anything that is not plain: a
/// bad escape, an escaped '/', a control byte, a backslash, invalid UTF-8, "." and "..", a name
/// beginning with a dot (but ".well-known" at the top), a segment over 255 or a path over 4,000
/// bytes.
std::optional<std::string> decode_path(std::string_view raw);

/// The last segment of a decoded path; empty when it ends with '/'.
std::string_view last_segment(std::string_view path);

}  // namespace cairn::site
