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

void read_element(std::string_view element, Weights& weights) {
  const std::size_t semicolon = element.find(';');
  const std::string_view token = trim(element.substr(0, semicolon));
  if (semicolon == std::string_view::npos) return weights.set(token, 1000);
  const std::string_view parameter = trim(element.substr(semicolon + 1));
  if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) return;
  if (const auto weight = parse_weight(parameter.substr(2))) weights.set(token, *weight);
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
  for (const http::Field& field : request.fields) {
    if (!http::equals_ignoring_case(field.name, "Accept-Encoding")) continue;
    std::string_view list = field.value;
    while (true) {
      const std::size_t comma = list.find(',');
      read_element(list.substr(0, comma), weights);
      if (comma == std::string_view::npos) break;
      list.remove_prefix(comma + 1);
    }
  }
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

}  // namespace cairn::site
