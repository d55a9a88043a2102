#include "node/api/login_request.h"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "base/bytes.h"

namespace cairn::api {
namespace {

namespace json = boost::json;

std::string_view text_at(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->as_string().data(), value->as_string().size()};
}

}  // namespace

Result<LoginRequest> parse_login_request(std::string_view text) {
  const Error refused =
      fail(Errc::malformed, "not {\"nonce\",\"key\",\"signature\",\"action\"}, all texts");
  json::parse_options options;
  options.max_depth = 2;
  json::error_code error;
  const json::value parsed =
      json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error || !parsed.is_object() || parsed.as_object().size() != 4) return refused;
  // No value that is taken has a colon in it; the parser keeps the last of two with one name.
  if (std::ranges::count(text, ':') != 4) return refused;
  const json::object& object = parsed.as_object();
  const auto key = from_base64url(text_at(object, "key"));
  const auto signature = from_base64url(text_at(object, "signature"));
  const auto action = parse_login_action(text_at(object, "action"));
  if (!key || !signature || !action) return refused;
  const auto public_key = PublicKey::from_bytes(*key);
  const auto signed_by = Signature::from_bytes(*signature);
  if (!public_key || !signed_by) return refused;
  return LoginRequest{.nonce = std::string(text_at(object, "nonce")),
                      .key = *public_key,
                      .signature = *signed_by,
                      .action = *action};
}

}  // namespace cairn::api
