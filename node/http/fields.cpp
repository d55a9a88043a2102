#include "node/http/fields.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace cairn::http {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// RFC 9110 5.6.2: what a field's name is made of.
constexpr auto kTokenBytes = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_byte);
}

/// RFC 9110 5.5: visible bytes, bytes over 0x7F, blank and tab.
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
  });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Where the first line of `name` begins in `text` ("Name: value\r\n" lines); npos when none does.
std::size_t line_of(std::string_view text, std::string_view name) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find("\r\n", at);
    const std::string_view line = text.substr(at, end - at);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        equals_ignoring_case(line.substr(0, name.size()), name)) {
      return at;
    }
    if (end == std::string_view::npos) break;
    at = end + 2;
  }
  return std::string_view::npos;
}

}  // namespace

bool is_token_byte(char c) {
  return kTokenBytes[static_cast<unsigned char>(c)];
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

bool list_contains(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (equals_ignoring_case(trimmed(list.substr(0, comma)), token)) return !token.empty();
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

bool FieldList::add(std::string_view name, std::string_view value) {
  if (!is_token(name) || !is_field_value(value)) return false;
  text_.append(name).append(": ").append(value).append("\r\n");
  return true;
}

bool FieldList::add(std::string_view name, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return add(name, std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
}

bool FieldList::remove(std::string_view name) {
  bool removed = false;
  for (std::size_t at = line_of(text_, name); at != std::string::npos; at = line_of(text_, name)) {
    const std::size_t end = text_.find("\r\n", at);
    text_.erase(at, end == std::string::npos ? end : end + 2 - at);
    removed = true;
  }
  return removed;
}

std::string_view FieldList::find(std::string_view name) const {
  const std::size_t at = line_of(text_, name);
  if (at == std::string_view::npos) return {};
  const std::size_t value = at + name.size() + 1;
  return trimmed(std::string_view(text_).substr(value, text_.find("\r\n", value) - value));
}

}  // namespace cairn::http
