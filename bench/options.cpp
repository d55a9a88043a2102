// See options.h.
#include "options.h"

#include <charconv>
#include <stdexcept>
#include <utility>

namespace cairn::bench {
namespace {

template <typename Number>
Number parse(std::string_view name, std::string_view value) {
  Number number{};
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size()) {
    throw std::invalid_argument("--" + std::string(name) + " wants a number, not " +
                                std::string(value));
  }
  return number;
}

}  // namespace

Options::Options(int argc, char** argv, Defaults defaults) : values_(std::move(defaults)) {
  if (argc < 2) throw std::invalid_argument("the first argument is the mode");
  mode_ = argv[1];
  for (int i = 2; i < argc; i += 2) {
    const std::string_view flag = argv[i];
    const auto known = flag.starts_with("--") ? values_.find(flag.substr(2)) : values_.end();
    if (known == values_.end()) {
      throw std::invalid_argument("unknown option " + std::string(flag));
    }
    if (i + 1 >= argc) throw std::invalid_argument(std::string(flag) + " wants a value");
    known->second = argv[i + 1];
  }
}

const std::string& Options::text(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw std::invalid_argument("no such option " + std::string(name));
  return found->second;
}

std::uint64_t Options::number(std::string_view name) const {
  return parse<std::uint64_t>(name, text(name));
}

double Options::decimal(std::string_view name) const {
  return parse<double>(name, text(name));
}

}  // namespace cairn::bench
