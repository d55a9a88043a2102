#include "node/api/chain_request.h"

#include <algorithm>
#include <charconv>

#include "base/little_endian.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "node/http/fields.h"

namespace cairn::api {
namespace {

/// Digits and nothing else, without a leading zero.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The next part of `rest` up to `separator`, which is taken off it.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

}  // namespace

std::optional<PageQuery> parse_page_query(std::string_view query) {
  PageQuery out;
  bool has_from = false;
  bool has_limit = false;
  while (!query.empty()) {
    const std::string_view part = next_part(query, '&');
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto value = parse_number(part.substr(equals + 1));
    if (!value || *value == 0) return std::nullopt;
    if (part.substr(0, equals) == "from" && !std::exchange(has_from, true)) {
      out.from = *value;
    } else if (part.substr(0, equals) == "limit" && !std::exchange(has_limit, true) &&
               *value <= kMaxLinksPerCall) {
      out.limit = static_cast<std::size_t>(*value);
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::chrono::seconds> preferred_wait(const http::Request& request) {
  const auto prefer = request.field("Prefer");
  if (!prefer) return std::nullopt;
  std::string_view rest = *prefer;
  while (!rest.empty()) {
    std::string_view preference = next_part(rest, ',');
    preference = trimmed(next_part(preference, ';'));
    const std::size_t equals = preference.find('=');
    if (equals == std::string_view::npos) continue;
    if (!http::equals_ignoring_case(trimmed(preference.substr(0, equals)), "wait")) continue;
    const auto seconds = parse_number(trimmed(preference.substr(equals + 1)));
    if (!seconds) return std::nullopt;
    const auto longest = static_cast<std::uint64_t>(kLongestWait.count());
    return std::chrono::seconds(static_cast<std::int64_t>(std::min(*seconds, longest)));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> last_event_of(const http::Request& request) {
  const auto id = request.field("Last-Event-ID");
  return id ? parse_number(*id) : std::nullopt;
}

bool may_read(const http::Request& request, const ChainHead& head) {
  if (!head.fetch_token_hash) return true;
  const auto authorization = request.field("Authorization");
  constexpr std::string_view kScheme = "Cairn-Fetch ";
  if (!authorization || authorization->size() <= kScheme.size() ||
      !http::equals_ignoring_case(authorization->substr(0, kScheme.size()), kScheme)) {
    return false;
  }
  const auto token = from_base64url(trimmed(authorization->substr(kScheme.size())));
  return token && token_opens(*token, head);
}

bool token_opens(ByteView token, const ChainHead& head) {
  if (!head.fetch_token_hash) return true;
  return equal_in_constant_time(sha256_of(token), *head.fetch_token_hash);
}

bool wants_json(const http::Request& request) {
  const auto accept = request.field("Accept");
  return accept && accept->find("application/json") != std::string_view::npos;
}

Result<std::vector<Bytes>> parse_link_frames(std::string_view body) {
  std::vector<Bytes> out;
  while (!body.empty()) {
    std::uint32_t length = 0;
    if (!take_le(body, length) || length == 0 || length > body.size()) {
      return fail(Errc::malformed, "frame " + std::to_string(out.size() + 1) + " is cut or empty");
    }
    if (out.size() == kMaxLinksPerCall) return fail(Errc::overloaded, "at most 256 links a call");
    const ByteView link = as_bytes(body.substr(0, length));
    out.emplace_back(link.begin(), link.end());
    body.remove_prefix(length);
  }
  if (out.empty()) return fail(Errc::malformed, "there is no link in it");
  return out;
}

}  // namespace cairn::api
