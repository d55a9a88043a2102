#include "node/config_show.h"

#include "base/log.h"

namespace cairn {
namespace {

constexpr std::size_t kOriginColumn = 44;

/// Opens "[section]" when `spec` begins one.
class SectionLines {
 public:
  void before(std::string& out, const KeySpec& spec, At at) {
    if (spec.section == section_ && at == at_) return;
    if (!out.empty()) out += '\n';
    const bool listed = spec.section.starts_with("site");
    out += listed ? "[[" : "[";
    out += spec.section;
    out += listed ? "]]\n" : "]\n";
    section_ = spec.section;
    at_ = at;
  }

 private:
  std::string_view section_;
  At at_;
};

void append_line(std::string& out, const KeySpec& spec, const std::string& value,
                 const std::string& origin) {
  std::string line = std::string(spec.name) + " = " + value;
  if (!origin.empty()) {
    if (line.size() < kOriginColumn) line.resize(kOriginColumn, ' ');
    line += "  # " + origin;
  }
  out += line + '\n';
}

/// The table's order, but each site with its proxies before the next site: as TOML needs it.
template <class Visit>
void for_each_key_as_written(const Config& config, const Visit& visit) {
  bool sites_done = false;
  for (const KeySpec& spec : config_keys()) {
    if (!spec.section.starts_with("site")) {
      visit(spec, At{});
      continue;
    }
    if (sites_done) continue;
    sites_done = true;
    for (std::size_t site = 0; site < config.sites.size(); ++site) {
      for (const KeySpec& each : config_keys()) {
        if (each.section == "site") visit(each, At{site, 0});
      }
      for (std::size_t proxy = 0; proxy < config.sites[site].proxies.size(); ++proxy) {
        for (const KeySpec& each : config_keys()) {
          if (each.section == "site.proxy") visit(each, At{site, proxy});
        }
      }
    }
  }
}

std::string in_code(std::string_view text) {
  return '`' + std::string(text) + '`';
}

}  // namespace

std::string config_as_toml(const LoadedConfig& loaded, ShowOrigins origins) {
  Config config = loaded.config;
  std::string out;
  SectionLines sections;
  for_each_key_as_written(config, [&](const KeySpec& spec, At at) {
    sections.before(out, spec, at);
    append_line(out, spec, value_text(spec, spec.field(config, at)),
                origins == ShowOrigins::yes ? loaded.origin_of(spec, at).where : "");
  });
  return out;
}

std::string config_as_json(const LoadedConfig& loaded) {
  Config config = loaded.config;
  std::string out = "{";
  for_each_key_as_written(config, [&](const KeySpec& spec, At at) {
    if (out.size() > 1) out += ',';
    append_json_string(out, key_text(spec, at));
    out += ":{\"value\":";
    out += value_text(spec, spec.field(config, at));
    out += ",\"origin\":";
    append_json_string(out, loaded.origin_of(spec, at).where);
    out += '}';
  });
  return out + '}';
}

std::string configuration_page() {
  std::string out =
      "# Configuration\n\n"
      "Every key that a node knows. This page is made from the program's own table by\n"
      "`cairn config docs`; a test holds the two together.\n\n"
      "Layers, each over the one before: built-in defaults, the file of `--config`, the "
      "environment\n"
      "(`CAIRN_SECTION_KEY`, as in `CAIRN_CACHE_MEMORY=1GiB`), `--set section.key=value`. Lists "
      "are\n"
      "separated by commas in the environment and in `--set`. With one site `site.key` means that\n"
      "site, else `site.0.key` names it. `cairn config show` tells where each value came from,\n"
      "`cairn config check` whether it is valid, `cairn doctor` whether this machine is ready for "
      "it.\n\n"
      "Sizes are `\"256MiB\"` (KiB, MiB, GiB, TiB), `\"1GB\"` (kB, MB, GB, TB) or plain bytes.\n"
      "*Later* marks what is known but refused by `cairn serve` in this version.\n";
  Config defaults;
  defaults.sites.resize(1);
  defaults.sites[0].proxies.resize(1);
  std::string_view section;
  for_each_key(defaults, [&](const KeySpec& spec, At at) {
    if (spec.section != section) {
      section = spec.section;
      const bool listed = section.starts_with("site");
      out +=
          "\n## " + in_code((listed ? "[[" : "[") + std::string(section) + (listed ? "]]" : "]"));
      out += "\n| key | default | value | meaning |\n|---|---|---|---|\n";
    }
    std::string words(spec.words);
    if (spec.later) words += " *Later.*";
    if (!spec.later_value.empty()) words += " *Later:* " + in_code(spec.later_value) + ".";
    out += "| " + in_code(spec.name) + " | " + in_code(value_text(spec, spec.field(defaults, at))) +
           " | " + kind_text(spec) + " | " + words + " |\n";
  });
  return out;
}

}  // namespace cairn
