// Fuzz target: the layered configuration. Whatever is wrong is said in single lines; what loads,
// written out as TOML, loads to the same.
#include <string>
#include <string_view>

#include "base/assert.h"
#include "node/config_layers.h"
#include "node/config_show.h"
#include "tests/fuzz/input.h"

namespace cairn::fuzz {
namespace {

/// Everything up to the next 0xFF, which is in no UTF-8 text.
std::string_view next_part(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\xff'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return part;
}

ConfigSources sources_of(std::string_view rest) {
  ConfigSources sources;
  sources.file_name = "fuzz.toml";
  sources.file_text = next_part(rest);
  for (std::size_t i = 0; i < 4 && !rest.empty(); ++i) {
    sources.sets.emplace_back(next_part(rest));
    sources.environment.push_back("CAIRN_" + std::string(next_part(rest)));
  }
  return sources;
}

void check_errors(const LoadedConfig& loaded) {
  CAIRN_ASSERT(loaded.ok() == loaded.errors.empty());
  for (const ConfigError& error : loaded.errors) {
    const std::string line = error_line(error);
    CAIRN_ASSERT(!line.empty() && line.size() < 16 * 1024);
    for (const char c : line) {
      CAIRN_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    }
  }
}

void check_written_again(const LoadedConfig& loaded) {
  CAIRN_ASSERT(!loaded.config.sites.empty());
  ConfigSources again;
  again.file_name = "again.toml";
  again.file_text = config_as_toml(loaded, ShowOrigins::no);
  const LoadedConfig reloaded = load_config(again);
  CAIRN_ASSERT(reloaded.ok());
  CAIRN_ASSERT(config_as_toml(reloaded, ShowOrigins::no) == again.file_text);
  CAIRN_ASSERT(!config_as_json(reloaded).empty());
}

}  // namespace
}  // namespace cairn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto sources = cairn::fuzz::sources_of(cairn::as_text({data, size}));
  const cairn::LoadedConfig loaded = cairn::load_config(sources);
  cairn::fuzz::check_errors(loaded);
  if (loaded.ok()) cairn::fuzz::check_written_again(loaded);
  return 0;
}
