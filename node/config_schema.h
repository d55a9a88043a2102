// The one table of configuration keys: name, kind, range, words. Parsing, checks, `config show` and
// docs/configuration.md all follow it; the defaults are those of config.h. Pure; safe on any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "node/config.h"

namespace cairn {

/// What a key's value means, beyond its TOML type.
enum class Kind : std::uint8_t {
  text,
  path,         ///< Relative to the working directory.
  secret_file,  ///< A path to a file that only its owner may read.
  boolean,
  count,
  bytes,
  share,    ///< Bytes or percent of the disk.
  choice,   ///< One of `choices`.
  address,  ///< host:port to listen at.
  texts,
  choices_list,
  addresses,
  origins,  ///< http://host[:port]
  headers,  ///< "Name: value"
  hosts,
};

/// Which site (and which of its proxies) a key belongs to; 0 for the other sections.
struct At {
  std::size_t site = 0;
  std::size_t proxy = 0;
  friend auto operator<=>(const At&, const At&) = default;
};

/// The field of a Config that a key sets.
using FieldRef =
    std::variant<std::string*, std::vector<std::string>*, bool*, std::uint64_t*, DiskShare*>;

struct KeySpec {
  std::string_view section;  ///< "cache", "site", "site.proxy"
  std::string_view name;
  Kind kind = Kind::text;
  FieldRef (*field)(Config&, At) = nullptr;
  std::string_view words;         ///< One sentence for people.
  std::string_view choices = {};  ///< "lru|s3-fifo"
  std::uint64_t least = 0;        ///< Range of count and bytes.
  std::uint64_t most = 0;         ///< 0: no limit beyond 2^63 - 1.
  /// Part of a later version: `serve` refuses any value but the default. With `later_value` only
  /// that value is refused.
  bool later = false;
  std::string_view later_value = {};
};

/// All keys, in the order in which they are shown.
std::span<const KeySpec> config_keys();

/// All section names, "site.proxy" among them.
std::span<const std::string_view> config_sections();

/// Nothing when there is no such key.
const KeySpec* find_key(std::string_view section, std::string_view name);

/// The value as TOML: `"256MiB"`, `["*"]`, `true`, `5`.
std::string value_text(const KeySpec& spec, FieldRef field);

/// "cache.memory", "site[1].root", "site[0].proxy[2].path".
std::string key_text(const KeySpec& spec, At at);

/// "a byte size", "one of \"lru\", \"s3-fifo\"": for messages and documents.
std::string kind_text(const KeySpec& spec);

}  // namespace cairn
