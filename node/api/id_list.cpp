#include "node/api/id_list.h"

#include <boost/json/basic_parser_impl.hpp>
#include <string>

#include "base/block_id_text.h"

namespace cairn::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 32;
// Longer than any spelling of an id, also where every character of it is escaped: the parser counts
// what an escape stands for.
constexpr std::size_t kMaxTextSize = 64;

/// What the parser calls; takes the one shape and nothing beside it, so that nothing is ever kept
/// but ids.
class IdListHandler {
 public:
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = kMaxTextSize;
  static constexpr std::size_t max_key_size = kMaxTextSize;

  explicit IdListHandler(std::size_t limit) : limit_(limit) {}

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code& ec) {
    if (place_ != Place::top) return refuse(ec, "only {\"ids\":[…]} is taken");
    place_ = Place::object;
    return true;
  }
  bool on_object_end(std::size_t, json::error_code& ec) {
    if (!seen_) return refuse(ec, "there is no member \"ids\"");
    return true;
  }
  bool on_array_begin(json::error_code& ec) {
    if (place_ != Place::value) return refuse(ec, "only {\"ids\":[…]} is taken");
    place_ = Place::array;
    return true;
  }
  bool on_array_end(std::size_t, json::error_code&) {
    place_ = Place::object;
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
    text_.append(part.data(), part.size());
    if (text_ != "ids") return refuse(ec, "there is a member other than \"ids\"");
    if (seen_) return refuse(ec, "the member \"ids\" is there twice");
    seen_ = true;
    place_ = Place::value;
    text_.clear();
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
    if (place_ != Place::array) return refuse(ec, "\"ids\" is not an array");
    text_.append(part.data(), part.size());
    const auto id = parse_block_id(text_);
    text_.clear();
    if (!id) return refuse(ec, "\"ids\" has an element that is not a block id");
    if (ids_.size() == limit_) {
      error_ = fail(Errc::overloaded, "at most " + std::to_string(limit_) + " ids are taken");
      ec = json::error::array_too_large;
      return false;
    }
    ids_.push_back(*id);
    return true;
  }
  bool on_number_part(json::string_view, json::error_code& ec) { return refuse_type(ec); }
  bool on_int64(std::int64_t, json::string_view, json::error_code& ec) { return refuse_type(ec); }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code& ec) { return refuse_type(ec); }
  bool on_double(double, json::string_view, json::error_code& ec) { return refuse_type(ec); }
  bool on_bool(bool, json::error_code& ec) { return refuse_type(ec); }
  bool on_null(json::error_code& ec) { return refuse_type(ec); }
  bool on_comment_part(json::string_view, json::error_code& ec) { return refuse_type(ec); }
  bool on_comment(json::string_view, json::error_code& ec) { return refuse_type(ec); }

  std::vector<BlockId> take_ids() { return std::move(ids_); }
  /// Why the handler itself stopped, if it did.
  const std::optional<Error>& error() const { return error_; }

 private:
  enum class Place : std::uint8_t { top, object, value, array };

  bool refuse(json::error_code& ec, const char* why) {
    error_ = fail(Errc::malformed, why);
    ec = json::error::syntax;
    return false;
  }
  bool refuse_type(json::error_code& ec) { return refuse(ec, "\"ids\" takes strings only"); }

  const std::size_t limit_;
  std::vector<BlockId> ids_;
  std::string text_;
  std::optional<Error> error_;
  Place place_ = Place::top;
  bool seen_ = false;
};

}  // namespace

Result<std::vector<BlockId>> parse_id_list(std::string_view text, std::size_t limit) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<IdListHandler> parser(options, limit);
  json::error_code ec;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
  if (parser.handler().error()) return *parser.handler().error();
  if (ec) return fail(Errc::malformed, ec.message());
  if (!parser.done() || read != text.size()) {
    return fail(Errc::malformed, "something stands behind the document");
  }
  return parser.handler().take_ids();
}

}  // namespace cairn::api
