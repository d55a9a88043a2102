// Defaults < file < environment < --set, merged under the schema into one Config with the origin of
// each value. Pure but for load_config_file; no threads.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/config.h"
#include "node/config_file.h"
#include "node/config_setting.h"

namespace cairn {

/// What the layers hold, as text; nothing is read from outside.
struct ConfigSources {
  std::string file_name;  ///< For messages; empty when there is no file.
  std::string file_text;
  std::vector<std::string> environment;  ///< "NAME=value"; names without CAIRN_ are not ours.
  std::vector<std::string> sets;         ///< "section.key=value"
};

struct LoadedConfig {
  Config config;
  /// By key_text(); keys at their default have no entry.
  std::map<std::string, Origin, std::less<>> origins;
  /// Every error found; the config is not to be used unless this is empty.
  std::vector<ConfigError> errors;

  /// Layer::defaults for a key that nothing has set.
  Origin origin_of(const KeySpec& spec, At at) const;
  bool ok() const { return errors.empty(); }
};

/// Never fails as such: what is wrong is in `errors`, each with its place.
LoadedConfig load_config(const ConfigSources& sources);

/// Reads the file into `sources`; an error line (unreadable, not a regular file, too large) or
/// nothing.
[[nodiscard]] std::vector<ConfigError> load_config_file(const std::string& path,
                                                        ConfigSources& sources);

/// One line for each value that this version cannot serve, such as a second role.
std::vector<ConfigError> unavailable_values(const LoadedConfig& loaded);

/// One line for each site whose root is no directory that can be opened.
std::vector<ConfigError> missing_roots(const LoadedConfig& loaded);

/// One line for each file of Kind::secret_file that others may read, or that cannot be examined.
std::vector<ConfigError> exposed_secrets(const LoadedConfig& loaded);

/// The names of the keys whose values differ; "site" where sites or proxies came or went.
std::vector<std::string> changed_keys(const Config& before, const Config& after);

/// "cairn.toml:3:5: cache.memroy is not a known key; did you mean cache.memory?"
std::string error_line(const ConfigError& error);

/// Calls `visit(spec, at)` for every key that `config` has, in the schema's order, site by site.
template <class Visit>
void for_each_key(const Config& config, const Visit& visit) {
  for (const KeySpec& spec : config_keys()) {
    if (!spec.section.starts_with("site")) {
      visit(spec, At{});
      continue;
    }
    for (std::size_t site = 0; site < config.sites.size(); ++site) {
      if (spec.section == "site") {
        visit(spec, At{site, 0});
        continue;
      }
      for (std::size_t proxy = 0; proxy < config.sites[site].proxies.size(); ++proxy) {
        visit(spec, At{site, proxy});
      }
    }
  }
}

}  // namespace cairn
