// Command line of the load generators: `MODE --name value ...`, every name known beforehand.
// Exists so that three small tools need no library. Owned by the main thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace cairn::bench {

class Options {
 public:
  using Defaults = std::map<std::string, std::string, std::less<>>;

  // Reads the mode (argv[1]) and the `--name value` pairs after it over `defaults`.
  // Throws std::invalid_argument on an unknown name or a missing value.
  Options(int argc, char** argv, Defaults defaults);

  const std::string& mode() const { return mode_; }

  // The value of a name that `defaults` held; throws std::invalid_argument otherwise.
  const std::string& text(std::string_view name) const;

  // As above, as a number; throws std::invalid_argument unless all of it is one.
  std::uint64_t number(std::string_view name) const;
  double decimal(std::string_view name) const;

 private:
  std::string mode_;
  Defaults values_;
};

}  // namespace cairn::bench
