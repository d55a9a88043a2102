#include "node/config_value.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "base/utf8.h"
#include "node/config_text.h"
#include "node/static/site_headers.h"

namespace cairn {
namespace {

using Problem = std::optional<std::string>;

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string out = "\"";
  for (const char c : text.substr(0, kShown)) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return out + (text.size() > kShown ? "…\"" : "\"");
}

std::string expects(const KeySpec& spec, const std::string& found) {
  return "expects " + kind_text(spec) + ", not " + found;
}

std::string described(const SettingValue& value) {
  if (const auto* odd = std::get_if<OddValue>(&value)) return odd->what;
  if (const auto* untyped = std::get_if<UntypedText>(&value)) return in_quotes(untyped->text);
  if (const auto* text = std::get_if<std::string>(&value)) return in_quotes(*text);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return "a list";
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_choice(const KeySpec& spec, std::string_view text) {
  std::string_view rest = spec.choices;
  while (!rest.empty()) {
    const std::size_t bar = std::min(rest.find('|'), rest.size());
    if (rest.substr(0, bar) == text) return true;
    rest.remove_prefix(std::min(bar + 1, rest.size()));
  }
  return false;
}

/// A name, or an address with IPv6 in brackets; never with a port, which no request's host has.
bool is_host(std::string_view text) {
  if (text == "*") return true;
  const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
  if (bracketed) text = text.substr(1, text.size() - 2);
  if (text.empty() || text.size() > 253) return false;
  return std::all_of(text.begin(), text.end(), [bracketed](char c) {
    if ((c >= '0' && c <= '9') || c == '.') return true;
    if (bracketed) return (c >= 'a' && c <= 'f') || c == ':';
    return (c >= 'a' && c <= 'z') || c == '-' || c == '_';
  });
}

/// Whether one text fits the kind (of the list's items, for lists).
bool fits(const KeySpec& spec, std::string_view text) {
  switch (spec.kind) {
    case Kind::choice:
    case Kind::choices_list: return is_choice(spec, text);
    case Kind::address: return text.empty() || parse_listen_address(text).has_value();
    case Kind::addresses: return parse_listen_address(text).has_value();
    case Kind::origins: return is_origin(text) || (spec.name == "cors" && text == "*");
    case Kind::hosts: return is_host(text);
    case Kind::texts: return !text.empty();
    default: return true;
  }
}

Problem check_text(const KeySpec& spec, const std::string& text) {
  if (!is_utf8(text)) return "is not UTF-8 text";
  if (has_control_character(text)) return "holds a control character";
  if (!fits(spec, text)) return expects(spec, in_quotes(text));
  if (spec.kind == Kind::headers) {
    const std::string_view problem = site::site_header_problem(text);
    if (!problem.empty()) return in_quotes(text) + " " + std::string(problem);
  }
  return std::nullopt;
}

Problem set_text(const KeySpec& spec, std::string& out, const SettingValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (const auto* untyped = std::get_if<UntypedText>(&value)) text = &untyped->text;
  if (text == nullptr) return expects(spec, described(value));
  if (auto problem = check_text(spec, *text)) return problem;
  out = *text;
  return std::nullopt;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    out.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

Problem set_list(const KeySpec& spec, std::vector<std::string>& out, const SettingValue& value) {
  std::vector<std::string> items;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    items = *list;
  } else if (const auto* untyped = std::get_if<UntypedText>(&value)) {
    items = split_list(untyped->text);
  } else {
    return expects(spec, described(value));
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (spec.kind == Kind::hosts) {
      std::transform(items[i].begin(), items[i].end(), items[i].begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
    }
    if (auto problem = check_text(spec, items[i])) return problem;
    const auto end = items.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(items.begin(), end, items[i]) != end) {
      return "names " + in_quotes(items[i]) + " twice";
    }
  }
  out = std::move(items);
  return std::nullopt;
}

Problem set_flag(const KeySpec& spec, bool& out, const SettingValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    out = *flag;
    return std::nullopt;
  }
  const auto* untyped = std::get_if<UntypedText>(&value);
  if (untyped == nullptr || (untyped->text != "true" && untyped->text != "false")) {
    return expects(spec, described(value));
  }
  out = untyped->text == "true";
  return std::nullopt;
}

Problem set_number(const KeySpec& spec, std::uint64_t& out, const SettingValue& value) {
  std::optional<std::uint64_t> number;
  const auto* text = std::get_if<std::string>(&value);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    if (*integer >= 0) number = static_cast<std::uint64_t>(*integer);
  } else if (const auto* untyped = std::get_if<UntypedText>(&value)) {
    number = spec.kind == Kind::bytes ? parse_byte_size(untyped->text) : parse_count(untyped->text);
  } else if (text != nullptr && spec.kind == Kind::bytes) {
    number = parse_byte_size(*text);
  }
  if (!number) return expects(spec, described(value));
  const std::uint64_t most = spec.most == 0 ? std::numeric_limits<std::int64_t>::max() : spec.most;
  if (*number < spec.least || *number > most) {
    return "is out of range: " + expects(spec, described(value));
  }
  out = *number;
  return std::nullopt;
}

Problem set_share(const KeySpec& spec, DiskShare& out, const SettingValue& value) {
  std::optional<DiskShare> share;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    if (*integer >= 0) share = DiskShare{static_cast<std::uint64_t>(*integer), 0};
  } else if (const auto* untyped = std::get_if<UntypedText>(&value)) {
    share = parse_disk_share(untyped->text);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    share = parse_disk_share(*text);
  }
  if (!share) return expects(spec, described(value));
  out = *share;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> set_field(const KeySpec& spec, FieldRef field,
                                     const SettingValue& value) {
  if (auto** text = std::get_if<std::string*>(&field)) return set_text(spec, **text, value);
  if (auto** list = std::get_if<std::vector<std::string>*>(&field)) {
    return set_list(spec, **list, value);
  }
  if (auto** flag = std::get_if<bool*>(&field)) return set_flag(spec, **flag, value);
  if (auto** share = std::get_if<DiskShare*>(&field)) return set_share(spec, **share, value);
  return set_number(spec, *std::get<std::uint64_t*>(field), value);
}

}  // namespace cairn
