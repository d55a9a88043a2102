// Fuzz target: request heads through the scanner, the parser and the gate. What is admitted reads
// the same to a plain line splitter, whatever pieces it came in; that is what a smuggler needs not
// to hold.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "node/http/head_parser.h"
#include "tests/fuzz/input.h"

namespace cairn::fuzz {
namespace {

using http::Field;
using http::Request;

constexpr std::size_t kMaxBytes = 2048;
constexpr std::size_t kMaxFields = 12;

struct Verdict {
  std::uint16_t status = 0;
  std::size_t head_bytes = 0;  ///< 0: refused or incomplete.
  Request request;
  std::vector<Field> fields;
};

/// `wire` as it comes in pieces of `piece` bytes.
Verdict judge(std::string_view wire, std::size_t piece) {
  Verdict verdict;
  std::size_t seen = 0;
  while (seen < wire.size()) {
    const std::size_t have = std::min(wire.size(), seen + piece);
    const http::HeadScan scan = http::scan_head(wire.substr(0, have), seen, kMaxBytes);
    seen = have;
    CAIRN_ASSERT(scan.head_bytes <= have && scan.head_bytes <= kMaxBytes);
    verdict.status = scan.refusal.status;
    if (verdict.status != 0) return verdict;
    if (scan.head_bytes == 0) continue;
    const http::Refusal refusal = http::parse_head(wire.substr(0, scan.head_bytes), kMaxFields,
                                                   verdict.fields, verdict.request);
    verdict.status = refusal.status;
    if (!refusal) verdict.head_bytes = scan.head_bytes;
    return verdict;
  }
  return verdict;
}

bool same(const Request& left, const Request& right) {
  const bool fields = std::equal(
      left.fields.begin(), left.fields.end(), right.fields.begin(), right.fields.end(),
      [](const Field& a, const Field& b) { return a.name == b.name && a.value == b.value; });
  return fields && left.method == right.method && left.target == right.target &&
         left.path == right.path && left.query == right.query && left.host == right.host &&
         left.authority == right.authority && left.minor_version == right.minor_version &&
         left.keep_alive == right.keep_alive && left.expects_continue == right.expects_continue &&
         left.framing == right.framing && left.content_length == right.content_length;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The fields as any reader sees them that splits lines at CR LF and lines at the first colon.
std::vector<Field> plain_fields(std::string_view head) {
  std::vector<Field> fields;
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.starts_with("\r\n")) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::size_t colon = line.find(':');
    CAIRN_ASSERT(colon != std::string_view::npos && colon > 0);
    fields.push_back({line.substr(0, colon), trimmed(line.substr(colon + 1))});
    head.remove_prefix(line.size() + 2);
  }
  CAIRN_ASSERT(head.size() == 2);
  return fields;
}

std::size_t count_of(const std::vector<Field>& fields, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(
      fields.begin(), fields.end(),
      [name](const Field& field) { return http::equals_ignoring_case(field.name, name); }));
}

/// What holds for every admitted head, by the rules and not by the gate's own code.
void check_admitted(std::string_view head, const Verdict& verdict) {
  const Request& request = verdict.request;
  const std::vector<Field> fields = plain_fields(head);
  CAIRN_ASSERT(fields.size() <= kMaxFields);
  Request plain = request;
  plain.fields = fields;
  CAIRN_ASSERT(same(request, plain));

  const std::string_view line = head.substr(0, head.find("\r\n"));
  CAIRN_ASSERT(line.starts_with(std::string(name_of(request.method)) + " "));
  CAIRN_ASSERT(line.ends_with(request.minor_version == 0 ? " HTTP/1.0" : " HTTP/1.1"));
  CAIRN_ASSERT(std::count(line.begin(), line.end(), ' ') == 2);

  CAIRN_ASSERT(count_of(fields, "host") == 1 && !request.host.empty());
  const std::size_t lengths = count_of(fields, "content-length");
  const std::size_t codings = count_of(fields, "transfer-encoding");
  CAIRN_ASSERT(lengths + codings <= 1);
  CAIRN_ASSERT((request.framing == http::Framing::length) == (lengths == 1));
  CAIRN_ASSERT((request.framing == http::Framing::chunked) == (codings == 1));
  if (codings == 1) {
    CAIRN_ASSERT(request.minor_version == 1);
    CAIRN_ASSERT(http::equals_ignoring_case(*request.field("transfer-encoding"), "chunked"));
  }
  if (lengths == 1) {
    const std::string_view digits = *request.field("content-length");
    CAIRN_ASSERT(digits.find_first_not_of("0123456789") == std::string_view::npos);
    // Back to digits, but for leading zeros.
    const std::string again = std::to_string(request.content_length);
    CAIRN_ASSERT(digits.ends_with(again));
    CAIRN_ASSERT(digits.substr(0, digits.size() - again.size()).find_first_not_of('0') ==
                 std::string_view::npos);
  }
  CAIRN_ASSERT(request.target == "*" || request.target.starts_with('/'));
  CAIRN_ASSERT(request.target.starts_with(request.path));
}

/// The admitted request, written again, is admitted as the same request.
void check_written_again(const Request& request) {
  std::string again = std::string(name_of(request.method)) + " " + std::string(request.target) +
                      " HTTP/1." + std::to_string(request.minor_version) + "\r\n";
  for (const Field& field : request.fields) {
    again += std::string(field.name) + ": " + std::string(field.value) + "\r\n";
  }
  again += "\r\n";
  std::vector<Field> fields;
  Request read;
  CAIRN_ASSERT(!http::parse_head(again, kMaxFields, fields, read));
  CAIRN_ASSERT(same(request, read));
}

void check(std::string_view wire, std::size_t piece) {
  const Verdict whole = judge(wire, std::max<std::size_t>(wire.size(), 1));
  const Verdict split = judge(wire, piece);
  CAIRN_ASSERT(whole.status == split.status && whole.head_bytes == split.head_bytes);
  if (whole.head_bytes == 0) return;
  CAIRN_ASSERT(same(whole.request, split.request));
  check_admitted(wire.substr(0, whole.head_bytes), whole);
  check_written_again(whole.request);
}

}  // namespace
}  // namespace cairn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cairn::fuzz::Input input(data, size);
  const std::uint8_t kind = input.byte();
  const std::size_t piece = 1 + input.byte() % 16;
  std::string wire(input.rest_text());
  // Every other input is fields alone, so that the fuzzer need not find the rest first.
  if (kind % 2 == 1) wire = "POST /a HTTP/1.1\r\nHost: a\r\n" + wire + "\r\n\r\n";
  cairn::fuzz::check(wire, piece);
  return 0;
}
