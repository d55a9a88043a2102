#include "node/static/encoding.h"

#include <optional>

namespace cairn::site {
namespace {

/// Weights are thousandths.
constexpr int kUnset = -1;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// RFC 9110 12.4.2: "0" to "1" with at most three digits behind the point, in thousandths.
std::optional<int> parse_weight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1') || text.size() > 5) return std::nullopt;
  int value = (text[0] - '0') * 1000;
  if (text.size() == 1) return value;
  if (text[1] != '.') return std::nullopt;
  int unit = 100;
  for (const char c : text.substr(2)) {
    if (c < '0' || c > '9') return std::nullopt;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return value > 1000 ? std::nullopt : std::optional(value);
}

struct Weights {
  std::array<int, kEncodingCount> of{kUnset, kUnset, kUnset};
  int rest = kUnset;  ///< What "*" says.

  void set(std::string_view token, int weight) {
    if (token == "*") rest = weight;
    if (http::equals_ignoring_case(token, "identity")) of[0] = weight;
    if (http::equals_ignoring_case(token, "gzip") || http::equals_ignoring_case(token, "x-gzip")) {
      of[1] = weight;
    }
    if (http::equals_ignoring_case(token, "br")) of[2] = weight;
  }

  int weight_of(Encoding encoding) const {
    const int own = of[static_cast<std::size_t>(encoding)];
    if (own != kUnset) return own;
    if (rest != kUnset) return rest;
    return kUnset;
  }
};

bool is_weight(std::string_view parameter) {
  return parameter.starts_with("q=") || parameter.starts_with("Q=");
}

/// Calls `use(token, parameters)` for each element of all lines of the field `name`; parameters are
/// what stands behind its first ';'. Says whether there is any line.
template <class Use>
bool for_each_element(const http::Request& request, std::string_view name, Use use) {
  bool any = false;
  for (const http::Field& field : request.fields) {
    if (!http::equals_ignoring_case(field.name, name)) continue;
    any = true;
    std::string_view list = field.value;
    while (true) {
      const std::size_t comma = list.find(',');
      const std::string_view element = list.substr(0, comma);
      const std::size_t semicolon = element.find(';');
      const bool bare = semicolon == std::string_view::npos;
      use(trim(element.substr(0, semicolon)),
          bare ? std::string_view() : trim(element.substr(semicolon + 1)));
      if (comma == std::string_view::npos) break;
      list.remove_prefix(comma + 1);
    }
  }
  return any;
}

}  // namespace

std::string_view token_of(Encoding encoding) {
  switch (encoding) {
    case Encoding::identity: return "";
    case Encoding::gzip: return "gzip";
    case Encoding::brotli: return "br";
  }
  return "";
}

std::string_view suffix_of(Encoding encoding) {
  switch (encoding) {
    case Encoding::identity: return "";
    case Encoding::gzip: return ".gz";
    case Encoding::brotli: return ".br";
  }
  return "";
}

Encoding choose_encoding(const http::Request& request, const EncodingSet& available) {
  Weights weights;
  for_each_element(request, "Accept-Encoding",
                   [&](std::string_view token, std::string_view parameters) {
                     if (parameters.empty()) return weights.set(token, 1000);
                     if (!is_weight(parameters)) return;
                     const auto weight = parse_weight(parameters.substr(2));
                     if (weight) weights.set(token, *weight);
                   });
  // Identity that nobody spoke of is welcome, but less than anything that was asked for.
  Encoding best = Encoding::identity;
  int best_weight = weights.weight_of(Encoding::identity);
  for (const Encoding encoding : {Encoding::gzip, Encoding::brotli}) {
    const int weight = weights.weight_of(encoding);
    if (!available[static_cast<std::size_t>(encoding)] || weight <= 0) continue;
    if (weight >= best_weight) {
      best = encoding;
      best_weight = weight;
    }
  }
  return best;
}

bool takes_html(const http::Request& request) {
  constexpr std::array<std::string_view, 3> kRanges{"*/*", "text/*", "text/html"};
  std::size_t closest = 0;
  bool takes = false;
  const auto read = [&](std::string_view range, std::string_view parameters) {
    // Only the last parameter is a weight; those before it narrow the type.
    const std::string_view last = trim(parameters.substr(parameters.rfind(';') + 1));
    const auto weight = is_weight(last) ? parse_weight(last.substr(2)) : 1000;
    for (std::size_t i = closest; weight && i < kRanges.size(); ++i) {
      if (!http::equals_ignoring_case(range, kRanges[i])) continue;
      closest = i;
      takes = *weight > 0;
    }
  };
  const bool said = for_each_element(request, "Accept", read);
  return takes || !said;
}

}  // namespace cairn::site
