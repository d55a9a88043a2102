// Percent-encoding (RFC 3986, section 2.1), undone. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cairn::http {

/// `raw` with each escape replaced by the byte that it stands for, once: any byte may come out, a
/// separator, a control byte or NUL too. Nothing when a '%' is not followed by two hex digits.
std::optional<std::string> percent_decoded(std::string_view raw);

/// The value of `name` in a query of `name=value` parts, unescaped: empty where it is not there,
/// nothing for a bad escape.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace cairn::http
