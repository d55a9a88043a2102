#include "node/config_check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <set>
#include <utility>

#include "base/assert.h"
#include "node/config_text.h"

namespace cairn {
namespace {

void add_error(LoadedConfig& loaded, std::string_view section, std::string_view name, At at,
               const std::string& message) {
  const KeySpec* spec = find_key(section, name);
  CAIRN_ASSERT(spec != nullptr);
  loaded.errors.push_back({loaded.origin_of(*spec, at), key_text(*spec, at) + " " + message});
}

void check_listeners(LoadedConfig& loaded) {
  const ListenConfig& listen = loaded.config.listen;
  if (listen.http.empty() && listen.https.empty()) {
    add_error(loaded, "listen", "http", {}, "names no address, so nobody could be answered");
  }
  if (!listen.admin.empty() && !listen.admin_allow_remote &&
      !is_loopback(*parse_listen_address(listen.admin))) {
    add_error(loaded, "listen", "admin", {},
              "can be reached from other machines and asks for no password; use a loopback "
              "address, or set listen.admin_allow_remote = true");
  }
  std::set<std::string> taken;
  for (const std::string& address : listen.http) {
    if (!address.ends_with(":0")) taken.insert(address);
  }
  if (taken.contains(listen.admin)) {
    add_error(loaded, "listen", "admin", {}, "is an address of listen.http too");
  }
}

void check_sites(LoadedConfig& loaded) {
  std::set<std::string> taken;
  for (std::size_t i = 0; i < loaded.config.sites.size(); ++i) {
    const std::vector<std::string> hosts = loaded.config.sites[i].hosts;
    if (hosts.empty()) add_error(loaded, "site", "hosts", {i, 0}, "names no host");
    for (const std::string& host : hosts) {
      if (taken.insert(host).second) continue;
      const bool unsaid =
          loaded.origin_of(*find_key("site", "hosts"), {i, 0}).layer == Layer::defaults;
      add_error(loaded, "site", "hosts", {i, 0},
                unsaid ? "is not set, so the site answers for every host, as another does already; "
                         "name each site's own, as in hosts = [\"a.example\"]"
                       : "names \"" + host + "\", which another site has already");
    }
  }
}

/// A `fetch` answer keeps a few blocks ahead of its client.
constexpr std::uint64_t kBlocksOfAnAnswer = 8;

void check_log(LoadedConfig& loaded) {
  const LogConfig& log = loaded.config.log;
  if (log.access == "stderr") {
    add_error(loaded, "log", "access", {}, "is \"off\", \"stdout\" or a file");
  }
  // The store refuses a directory with other files in it, and a log would be one.
  const auto data = std::filesystem::path(loaded.config.node.data_dir).lexically_normal() / "";
  for (const auto& [name, file] : {std::pair("events", log.events), {"access", log.access}}) {
    const auto path = std::filesystem::path(file).lexically_normal();
    const auto [in_data, in_file] = std::ranges::mismatch(data, path);
    const bool inside = in_data == data.end() || std::next(in_data) == data.end();
    if (file.empty() || !inside || in_file == path.end()) continue;
    add_error(loaded, "log", name, {},
              "lies in node.data_dir, which holds the store and nothing else");
  }
}

void check_limits(LoadedConfig& loaded) {
  const LimitsConfig& limits = loaded.config.limits;
  if (limits.upload_bytes < limits.block_bytes) {
    add_error(loaded, "limits", "upload_bytes", {}, "has no room for one block of block_bytes");
  }
  if (limits.answer_bytes / kBlocksOfAnAnswer < limits.block_bytes) {
    add_error(loaded, "limits", "answer_bytes", {}, "has no room for 8 blocks of block_bytes");
  }
  if (loaded.config.node.roles.empty()) {
    add_error(loaded, "node", "roles", {}, "names no role");
  }
  if (loaded.config.node.data_dir.empty()) {
    add_error(loaded, "node", "data_dir", {}, "is empty");
  }
}

/// A Config whose sites and proxies all are at their defaults, shaped like `config`.
Config defaults_like(const Config& config) {
  Config out;
  out.sites.resize(config.sites.size());
  for (std::size_t i = 0; i < config.sites.size(); ++i) {
    out.sites[i].proxies.resize(config.sites[i].proxies.size());
  }
  return out;
}

}  // namespace

void check_config(LoadedConfig& loaded) {
  check_listeners(loaded);
  check_sites(loaded);
  check_limits(loaded);
  check_log(loaded);
}

std::vector<ConfigError> unavailable_values(const LoadedConfig& loaded) {
  std::vector<ConfigError> out;
  Config config = loaded.config;
  Config defaults = defaults_like(config);
  for_each_key(config, [&](const KeySpec& spec, At at) {
    const std::string value = value_text(spec, spec.field(config, at));
    const bool refused = spec.later ? value != value_text(spec, spec.field(defaults, at))
                                    : !spec.later_value.empty() &&
                                          value == '"' + std::string(spec.later_value) + '"';
    if (!refused) return;
    out.push_back({loaded.origin_of(spec, at),
                   key_text(spec, at) + " = " + value + " is not available in this version"});
  });
  return out;
}

std::vector<std::string> changed_keys(const Config& before, const Config& after) {
  std::vector<std::string> out;
  Config old = before;
  Config now = after;
  bool same_shape = old.sites.size() == now.sites.size();
  for (std::size_t i = 0; same_shape && i < now.sites.size(); ++i) {
    same_shape = old.sites[i].proxies.size() == now.sites[i].proxies.size();
  }
  if (!same_shape) out.emplace_back("site");
  for_each_key(now, [&](const KeySpec& spec, At at) {
    if (!same_shape && spec.section.starts_with("site")) return;
    if (value_text(spec, spec.field(old, at)) == value_text(spec, spec.field(now, at))) return;
    out.push_back(key_text(spec, at));
  });
  return out;
}

std::vector<ConfigError> missing_roots(const LoadedConfig& loaded) {
  std::vector<ConfigError> out;
  const KeySpec* spec = find_key("site", "root");
  for (std::size_t i = 0; i < loaded.config.sites.size(); ++i) {
    const std::string& root = loaded.config.sites[i].root;
    if (root.empty()) continue;
    struct stat info {};
    std::string problem;
    const bool exists = ::stat(root.c_str(), &info) == 0;
    if (exists && !S_ISDIR(info.st_mode)) {
      problem = "is not a directory";
    } else if (!exists || ::access(root.c_str(), R_OK | X_OK) != 0) {
      problem = std::strerror(errno);
    }
    if (problem.empty()) continue;
    out.push_back(
        {loaded.origin_of(*spec, {i, 0}), key_text(*spec, {i, 0}) + ": " + root + ": " + problem});
  }
  return out;
}

std::vector<ConfigError> exposed_secrets(const LoadedConfig& loaded) {
  std::vector<ConfigError> out;
  Config config = loaded.config;
  for_each_key(config, [&](const KeySpec& spec, At at) {
    if (spec.kind != Kind::secret_file) return;
    const std::string& path = *std::get<std::string*>(spec.field(config, at));
    if (path.empty()) return;
    struct stat info {};
    std::string problem;
    if (::stat(path.c_str(), &info) != 0) {
      problem = std::string("cannot be read: ") + std::strerror(errno);
    } else if (!S_ISREG(info.st_mode)) {
      problem = "is not a file";
    } else if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
      problem = "can be read by others; run: chmod 600 " + path;
    }
    if (!problem.empty()) {
      out.push_back({loaded.origin_of(spec, at), key_text(spec, at) + ": " + path + " " + problem});
    }
  });
  return out;
}

}  // namespace cairn
