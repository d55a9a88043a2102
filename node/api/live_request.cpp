#include "node/api/live_request.h"

#include <algorithm>
#include <boost/json/parse.hpp>

namespace cairn::api {
namespace {

namespace json = boost::json;

Error other_shape(std::string_view what) {
  return fail(Errc::malformed, std::string(what));
}

bool read_seen(const json::value& value, LiveStart& out) {
  if (value.is_null()) return true;
  if (!value.is_number() || value.is_double()) return false;
  json::error_code error;
  out.seen = value.to_number<std::uint64_t>(error);
  return !error;
}

bool read_start(const json::value& value, LiveStart& out) {
  if (!value.is_object()) return read_seen(value, out);
  for (const auto& member : value.as_object()) {
    if (member.key() == "seen") {
      if (!read_seen(member.value(), out)) return false;
    } else if (member.key() == "token" && member.value().is_string()) {
      const json::string& text = member.value().as_string();
      const auto token = from_base64url({text.data(), text.size()});
      if (!token) return false;
      out.token = *token;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<std::vector<LiveStart>> parse_live_request(std::string_view text) {
  json::parse_options options;
  options.max_depth = 4;
  json::error_code error;
  const json::value parsed =
      json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return other_shape("not JSON: " + error.message());
  if (!parsed.is_object()) return other_shape("not an object of chain ids");
  const json::object& chains = parsed.as_object();
  if (chains.empty()) return other_shape("it names no chain");
  if (chains.size() > kMaxLiveChains)
    return fail(Errc::overloaded, "at most 1000 chains are taken");
  std::vector<LiveStart> out;
  std::size_t members = chains.size();
  for (const auto& member : chains) {
    const auto id = ChainId::from_text({member.key().data(), member.key().size()});
    if (!id) return other_shape("a member is not named by a chain id");
    LiveStart start{.chain = *id, .seen = {}, .token = {}};
    if (!read_start(member.value(), start)) {
      return other_shape("the value of chain " + id->text() +
                         " is neither a number nor null nor {\"seen\", \"token\"}");
    }
    if (member.value().is_object()) members += member.value().as_object().size();
    out.push_back(std::move(start));
  }
  // Nothing that was taken has a colon in it, so there is one for each member; the parser keeps the
  // last of two that have one name.
  const auto colons = static_cast<std::size_t>(std::ranges::count(text, ':'));
  if (colons != members) return other_shape("a member is there twice");
  return out;
}

}  // namespace cairn::api
