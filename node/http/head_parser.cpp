#include "node/http/head_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <limits>

namespace cairn::http {
namespace {

namespace beast = boost::beast;
using ErrorCode = beast::error_code;

/// Collects borrowed fields instead of copying them, as Beast's own request_parser would.
class Collector final : public beast::http::basic_parser<true> {
 public:
  Collector(std::size_t max_fields, std::vector<Field>& fields)
      : max_fields_(max_fields), fields_(fields) {
    header_limit(std::numeric_limits<std::uint32_t>::max());  // scan_head has bounded it.
    body_limit(boost::none);                                  // The body is not Beast's.
  }

  RawHead head;
  bool too_many = false;

 private:
  static std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, ErrorCode&) override {
    head.method = view(method);
    head.target = view(target);
    head.minor_version = static_cast<unsigned>(version) % 10;
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     ErrorCode& error) override {
    if (fields_.size() == max_fields_) {
      too_many = true;
      error = beast::http::error::header_limit;
      return;
    }
    fields_.push_back({view(name), view(value)});
  }
  void on_response_impl(int, beast::string_view, int, ErrorCode&) override {}
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, ErrorCode&) override {}
  std::size_t on_body_impl(beast::string_view, ErrorCode&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, ErrorCode&) override {
    return 0;
  }
  void on_finish_impl(ErrorCode&) override {}

  const std::size_t max_fields_;
  std::vector<Field>& fields_;
};

}  // namespace

Refusal parse_head(std::string_view head, std::size_t max_fields, std::vector<Field>& fields,
                   Request& request) {
  fields.clear();
  Collector collector(max_fields, fields);
  ErrorCode error;
  const std::size_t consumed =
      collector.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (collector.too_many)
    return {431, "the head has more fields than this server accepts", "Send fewer fields."};
  if (error == beast::http::error::bad_version)
    return {505, "this server speaks HTTP/1.0 and 1.1", "Send HTTP/1.1."};
  if (error || consumed != head.size() || !collector.is_header_done()) {
    return {400, "the head is not well-formed HTTP",
            "Write it as METHOD TARGET HTTP/1.1 and lines of NAME: VALUE, with no blank before the "
            "colon."};
  }
  collector.head.fields = fields;
  return admit(collector.head, request);
}

}  // namespace cairn::http
