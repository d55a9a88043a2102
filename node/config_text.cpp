#include "node/config_text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "base/assert.h"

namespace cairn {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Ordered so that byte_size_text finds the largest binary unit first.
constexpr std::array<Unit, 10> kUnits{{{"TiB", std::uint64_t{1} << 40},
                                       {"GiB", kGiB},
                                       {"MiB", kMiB},
                                       {"KiB", kKiB},
                                       {"B", 1},
                                       {"", 1},
                                       {"kB", 1'000},
                                       {"MB", 1'000'000},
                                       {"GB", 1'000'000'000},
                                       {"TB", 1'000'000'000'000}}};

constexpr std::uint64_t kMostBytes = std::numeric_limits<std::int64_t>::max();

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_count(text);
  if (!port || *port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

bool is_numeric_address(const std::string& host, int family) {
  std::array<unsigned char, sizeof(in6_addr)> out{};
  return inet_pton(family, host.c_str(), out.data()) == 1;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_byte_size(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_count(text.substr(0, digits));
  if (!number) return std::nullopt;
  std::string_view unit = text.substr(digits);
  if (unit.size() > 1 && unit.front() == ' ') unit.remove_prefix(1);
  const auto* found =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == unit; });
  if (found == kUnits.end() || *number > kMostBytes / found->factor) return std::nullopt;
  return *number * found->factor;
}

std::string byte_size_text(std::uint64_t bytes) {
  if (bytes == 0) return "0";
  for (const Unit& unit : kUnits) {
    if (unit.factor == 1) break;
    if (bytes % unit.factor == 0) {
      return std::to_string(bytes / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(bytes);
}

std::optional<DiskShare> parse_disk_share(std::string_view text) {
  if (text.empty() || text.back() != '%') {
    const auto bytes = parse_byte_size(text);
    if (!bytes) return std::nullopt;
    return DiskShare{*bytes, 0};
  }
  text.remove_suffix(1);
  // So few characters that disk_share_text() writes every one of them again.
  constexpr std::size_t kLongestPercent = 12;
  if (text.size() > kLongestPercent) return std::nullopt;
  if (text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(percent >= 0 && percent <= 100)) return std::nullopt;
  return DiskShare{0, percent};
}

std::string disk_share_text(const DiskShare& share) {
  if (share.bytes != 0) return byte_size_text(share.bytes);
  std::array<char, 32> out{};
  // The shortest digits that read as the same number, and never an exponent: what is read has none.
  const auto [end, error] =
      std::to_chars(out.data(), out.data() + out.size(), share.percent, std::chars_format::fixed);
  CAIRN_ASSERT(error == std::errc{});
  return std::string(out.data(), end) + "%";
}

std::optional<HostPort> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return std::nullopt;
  std::string host(text.substr(0, colon));
  if (host.front() == '[') {
    if (host.back() != ']') return std::nullopt;
    host = host.substr(1, host.size() - 2);
    if (!is_numeric_address(host, AF_INET6)) return std::nullopt;
  } else if (host != "localhost" && !is_numeric_address(host, AF_INET)) {
    return std::nullopt;
  }
  return HostPort{std::move(host), *port};
}

bool is_loopback(const HostPort& address) {
  if (address.host == "localhost") return true;
  // A number, not a name: "127.evil.example" is a name that anybody can point here.
  in_addr four{};
  if (inet_pton(AF_INET, address.host.c_str(), &four) == 1) {
    return (ntohl(four.s_addr) >> 24) == 127;
  }
  in6_addr six{};
  return inet_pton(AF_INET6, address.host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool is_origin(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    std::string_view rest = text.substr(scheme.size());
    if (rest.starts_with('[')) {
      return parse_listen_address(rest) || parse_listen_address(std::string(rest) + ":80");
    }
    const std::size_t colon = rest.find(':');
    if (colon != std::string_view::npos) {
      if (!parse_port(rest.substr(colon + 1))) return false;
      rest = rest.substr(0, colon);
    }
    return !rest.empty() && std::all_of(rest.begin(), rest.end(), is_host_character);
  }
  return false;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment: three rows of the usual table are enough.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::optional<std::string_view> nearest_word(std::string_view word,
                                             std::span<const std::string_view> candidates) {
  // A word of outside length must not cost outside time.
  constexpr std::size_t kLongestWord = 64;
  if (word.size() > kLongestWord) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t fewest = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t edits = edit_distance(word, candidate);
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

}  // namespace cairn
