#include "node/config_layers.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/utf8.h"
#include "node/config_check.h"
#include "node/config_text.h"
#include "node/config_value.h"

namespace cairn {
namespace {

constexpr std::string_view kPrefix = "CAIRN_";

/// "cache.memory" -> "CAIRN_CACHE_MEMORY".
std::string as_variable(std::string_view key) {
  std::string out(kPrefix);
  for (const char c : key) {
    out += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

/// "cache.memroy is not a known key; did you mean cache.memory?"
std::string unknown_key(std::string_view section, std::string_view name, Layer layer) {
  if (section.empty()) {
    for (const KeySpec& spec : config_keys()) {
      if (spec.name == name) {
        return std::string(name) + " stands outside a section; did you mean " +
               std::string(spec.section) + "." + std::string(name) + "?";
      }
    }
  }
  if (section.empty()) {
    // A table of an unknown name looks like a key.
    if (const auto nearest = nearest_word(name, config_sections())) {
      return std::string(name) + " is neither a section nor a key; did you mean " +
             (*nearest == "site" ? "[[site]]" : "[" + std::string(*nearest) + "]") + "?";
    }
  }
  std::vector<std::string> spelled;
  for (const KeySpec& spec : config_keys()) {
    spelled.push_back(std::string(spec.section) + "." + std::string(spec.name));
  }
  const std::string full =
      section.empty() ? std::string(name) : std::string(section) + "." + std::string(name);
  const std::vector<std::string_view> candidates(spelled.begin(), spelled.end());
  std::string out = full + " is not a known key";
  if (const auto nearest = nearest_word(full, candidates)) {
    out += "; did you mean " +
           (layer == Layer::environment ? as_variable(*nearest) : std::string(*nearest)) + "?";
  } else {
    out += "; `cairn config show` lists them all";
  }
  return out;
}

std::string unknown_section(std::string_view section) {
  std::string out = "[" + std::string(section) + "] is not a known section";
  if (const auto nearest = nearest_word(section, config_sections())) {
    out += "; did you mean [" + std::string(*nearest) + "]?";
  }
  return out;
}

/// "site.0.root", "site.root", "cache.memory" -> section, site and name. `indexed` tells whether
/// the site was named.
struct ParsedKey {
  std::string section;
  At at;
  std::string name;
  bool indexed = false;
};

std::optional<ParsedKey> parse_key(std::string_view text) {
  ParsedKey out;
  const std::size_t last = text.rfind('.');
  if (last == std::string_view::npos || last + 1 == text.size() || last == 0) return std::nullopt;
  out.name = text.substr(last + 1);
  std::string_view section = text.substr(0, last);
  if (section.starts_with("site.") && section != "site.proxy") {
    const auto index = parse_count(section.substr(5));
    if (!index) return std::nullopt;
    out.at.site = *index;
    out.indexed = true;
    section = "site";
  }
  out.section = section;
  return out;
}

class Merger {
 public:
  LoadedConfig take() { return std::move(out_); }

  void make_sites(const LayerSettings& file) {
    out_.config.sites.resize(std::max<std::size_t>(1, file.proxies_of_site.size()));
    for (std::size_t i = 0; i < file.proxies_of_site.size(); ++i) {
      out_.config.sites[i].proxies.resize(file.proxies_of_site[i]);
    }
  }

  void add_layer(const LayerSettings& layer) {
    for (const ConfigError& error : layer.errors) out_.errors.push_back(error);
    for (const Setting& setting : layer.settings) apply(setting);
  }

  void add_set(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view key = text.substr(0, std::min(equals, text.size()));
    const Origin origin{Layer::command_line, "--set " + std::string(key)};
    const auto parsed = parse_key(key);
    if (equals == std::string_view::npos || !parsed) {
      out_.errors.push_back({origin, "expects section.key=value"});
      return;
    }
    apply_untyped(*parsed, text.substr(equals + 1), origin);
  }

  /// Names that are CAIRN_ but no section of ours (CAIRN_SERVER) belong to somebody else.
  void add_variable(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (!text.starts_with(kPrefix) || equals == std::string_view::npos) return;
    std::string name(text.substr(kPrefix.size(), equals - kPrefix.size()));
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const std::size_t underscore = name.find('_');
    if (underscore == std::string::npos) return;
    const std::string section = name.substr(0, underscore);
    const auto near = nearest_word(section, config_sections());
    if (!near || edit_distance(section, *near) > 1) return;
    const Origin origin{Layer::environment, std::string(text.substr(0, equals))};
    apply_untyped({section, {}, name.substr(underscore + 1), false}, text.substr(equals + 1),
                  origin);
  }

 private:
  void apply_untyped(const ParsedKey& key, std::string_view value, const Origin& origin) {
    const std::size_t sites = out_.config.sites.size();
    if (key.section == "site" && !key.indexed && sites > 1) {
      out_.errors.push_back({origin, "there are " + std::to_string(sites) +
                                         " sites; name one, as in --set site.0." + key.name +
                                         "=…"});
      return;
    }
    if (key.at.site >= sites) {
      out_.errors.push_back({origin, "there is no site " + std::to_string(key.at.site)});
      return;
    }
    if (key.section == "site.proxy") {
      out_.errors.push_back({origin, "proxies are set in the configuration file alone"});
      return;
    }
    apply({key.section, key.at, key.name, UntypedText{std::string(value)}, origin});
  }

  void apply(const Setting& setting) {
    const KeySpec* spec = find_key(setting.section, setting.name);
    if (spec == nullptr) {
      out_.errors.push_back(
          {setting.origin, setting.name.empty()
                               ? unknown_section(setting.section)
                               : unknown_key(setting.section, setting.name, setting.origin.layer)});
      return;
    }
    const std::string key = key_text(*spec, setting.at);
    if (auto problem = set_field(*spec, spec->field(out_.config, setting.at), setting.value)) {
      out_.errors.push_back({setting.origin, key + " " + *problem});
      return;
    }
    out_.origins[key] = setting.origin;
  }

  LoadedConfig out_;
};

}  // namespace

Origin LoadedConfig::origin_of(const KeySpec& spec, At at) const {
  const auto found = origins.find(key_text(spec, at));
  return found == origins.end() ? Origin{} : found->second;
}

LoadedConfig load_config(const ConfigSources& sources) {
  LayerSettings file;
  if (!sources.file_name.empty()) file = read_config_text(sources.file_text, sources.file_name);
  Merger merger;
  merger.make_sites(file);
  merger.add_layer(file);
  for (const std::string& variable : sources.environment) merger.add_variable(variable);
  for (const std::string& set : sources.sets) merger.add_set(set);
  LoadedConfig loaded = merger.take();
  // Rules between keys are judged only where each key by itself is right.
  if (loaded.ok()) check_config(loaded);
  return loaded;
}

std::vector<ConfigError> load_config_file(const std::string& path, ConfigSources& sources) {
  const Origin origin{Layer::file, path};
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text(kMaxConfigFileBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) {
    return {{origin, std::string("cannot be read: ") + std::strerror(errno != 0 ? errno : EIO)}};
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  sources.file_name = path;
  sources.file_text = std::move(text);
  return {};
}

std::string error_line(const ConfigError& error) {
  // Keys and values are quoted as they stand in the file.
  return printable(error.origin.where + ": " + error.message);
}

}  // namespace cairn
