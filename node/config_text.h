// The small languages inside configuration values: byte sizes, shares of a disk, addresses; and the
// nearest-word search behind "did you mean". Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "node/config.h"

namespace cairn {

/// "4096", "8KiB", "256MiB", "2GiB", "1TiB" (binary), "10kB", "5MB", "1GB" (decimal), "12B". A
/// space before the unit is allowed, a fraction is not. Nothing for anything else or over 2^63 - 1.
std::optional<std::uint64_t> parse_byte_size(std::string_view text);

/// The shortest exact spelling: "256MiB", "1500".
std::string byte_size_text(std::uint64_t bytes);

/// "5%" (0 to 100, decimals allowed) or a byte size.
std::optional<DiskShare> parse_disk_share(std::string_view text);
std::string disk_share_text(const DiskShare& share);

/// Decimal digits alone; nothing on overflow.
std::optional<std::uint64_t> parse_count(std::string_view text);

struct HostPort {
  std::string host;  ///< A numeric address or "localhost"; without brackets.
  std::uint16_t port = 0;
};

/// "127.0.0.1:8080", "[::1]:8080", "localhost:0". Names other than localhost are refused: what a
/// node binds to must not depend on a resolver.
std::optional<HostPort> parse_listen_address(std::string_view text);

/// True for 127.0.0.0/8, ::1 and localhost.
bool is_loopback(const HostPort& address);

/// "http://host[:port]" or "https://…", without a path.
bool is_origin(std::string_view text);

/// Edits (insert, delete, replace, swap of neighbours) between `a` and `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate with the fewest edits from `word`, when it is near enough to be meant.
std::optional<std::string_view> nearest_word(std::string_view word,
                                             std::span<const std::string_view> candidates);

}  // namespace cairn
