#include "node/http/request_gate.h"

#include <algorithm>
#include <array>
#include <optional>

namespace cairn::http {
namespace {

constexpr Refusal refuse(std::string_view reason, std::string_view hint) {
  return {400, reason, hint};
}

bool is_control(unsigned char c) {
  return (c < 0x20 && c != '\t') || c == 0x7F;
}

/// A request line ends in " HTTP/" digit "." digit; without it (HTTP/0.9) no field section would
/// follow.
bool ends_with_version(std::string_view line) {
  constexpr std::string_view kVersion = " HTTP/";
  return line.size() > 9 && line.substr(line.size() - 9, kVersion.size()) == kVersion;
}

Refusal scan_line_feed(std::string_view bytes, std::size_t at) {
  if (at == 0 || bytes[at - 1] != '\r')
    return refuse("a line ends in a bare LF", "End every line in CR LF.");
  const std::string_view line = bytes.substr(0, at - 1);
  const bool first_line = line.find('\n') == std::string_view::npos;
  if (first_line && !ends_with_version(line))
    return refuse("the request line has no HTTP version", "Write it as METHOD TARGET HTTP/1.1.");
  return {};
}

/// Everything of `bytes[at]` but LF.
Refusal scan_byte(std::string_view bytes, std::size_t at) {
  const auto c = static_cast<unsigned char>(bytes[at]);
  const char before = at == 0 ? '\0' : bytes[at - 1];
  if (before == '\r')
    return refuse("a CR without an LF", "End every line in CR LF, and let no CR stand within one.");
  if (before == '\n' && (c == ' ' || c == '\t'))
    return refuse("a folded header line", "Write each field on one line.");
  if (is_control(c) && c != '\r')
    return refuse("a control character in the head", "Leave it out, or percent-encode it.");
  return {};
}

std::optional<Method> method_of(std::string_view name) {
  constexpr std::array kMethods{Method::get,   Method::head,    Method::put,    Method::post,
                                Method::patch, Method::delete_, Method::options};
  for (const Method method : kMethods) {
    if (name == name_of(method)) return method;
  }
  return std::nullopt;
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == '~';
}

bool all_digits(std::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

/// host [ ":" port ] with a name, an IPv4 address or a bracketed IPv6 address.
bool split_authority(std::string_view authority, std::string_view& host) {
  std::size_t end = 0;
  if (authority.starts_with('[')) {
    while (end < authority.size() && authority[end] != ']') ++end;
    if (end == authority.size() || end < 3) return false;
    for (const char c : authority.substr(1, end - 1)) {
      const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!hex && c != ':' && c != '.') return false;
    }
    ++end;
  } else {
    while (end < authority.size() && is_host_char(authority[end])) ++end;
    if (end == 0) return false;
  }
  host = authority.substr(0, end);
  const std::string_view port = authority.substr(end);
  return port.empty() || (port[0] == ':' && port.size() <= 6 && all_digits(port.substr(1)));
}

/// Takes the scheme and authority off an absolute-form target. Nothing when it is not one.
std::optional<std::string_view> absolute_authority(std::string_view& target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() ||
        !equals_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      continue;
    }
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find('/'), target.size());
    const std::string_view authority = target.substr(0, end);
    target.remove_prefix(end);
    if (target.empty()) target = "/";
    return authority;
  }
  return std::nullopt;
}

Refusal admit_target(std::string_view target, Request& request) {
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || byte == '#') {
      return refuse("the target holds a character that must be percent-encoded",
                    "Write it as % and two hexadecimal digits.");
    }
  }
  if (target == "*") {
    if (request.method != Method::options)
      return refuse("the target * is for OPTIONS only", "Begin the target with a slash.");
    request.target = request.path = target;
    request.query = {};
    return {};
  }
  const auto authority = absolute_authority(target);
  if (authority && !equals_ignoring_case(*authority, request.authority)) {
    return refuse("the target names another host than the Host field",
                  "Send the same host in both, or a target that begins with a slash.");
  }
  if (!target.starts_with('/'))
    return refuse("the target is neither a path nor an http URL", "Begin the target with a slash.");
  request.target = target;
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  request.query =
      question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
  return {};
}

Refusal admit_coding(std::string_view value) {
  if (equals_ignoring_case(value, "chunked")) return {};
  for (const std::string_view known : {"gzip", "x-gzip", "compress", "x-compress", "deflate"}) {
    if (equals_ignoring_case(value, known)) {
      return {501, "this transfer coding is not implemented",
              "Send the body as it is, in chunks or with a Content-Length."};
    }
  }
  return refuse("Transfer-Encoding must be exactly: chunked",
                "Send chunked alone, or a Content-Length instead.");
}

Refusal admit_length(std::string_view value, std::uint64_t& out) {
  if (!all_digits(value))
    return refuse("Content-Length must be digits only",
                  "Send the body's size in bytes as a plain number.");
  out = 0;
  for (const char c : value) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (out > (~std::uint64_t{0} - digit) / 10)
      return refuse("Content-Length is out of range",
                    "Send the body's size in bytes as a plain number.");
    out = out * 10 + digit;
  }
  return {};
}

/// The fields that decide framing, routing and persistence.
struct Framers {
  const Field* host = nullptr;
  const Field* content_length = nullptr;
  const Field* transfer_encoding = nullptr;
  const Field* expect = nullptr;
  bool close = false;
  bool keep_alive = false;
};

Refusal collect(std::span<const Field> fields, Framers& out) {
  for (const Field& field : fields) {
    const Field** single = nullptr;
    switch (field.name.size()) {
      case 4:
        if (equals_ignoring_case(field.name, "host")) single = &out.host;
        break;
      case 6:
        if (equals_ignoring_case(field.name, "expect")) single = &out.expect;
        break;
      case 10:
        if (equals_ignoring_case(field.name, "connection")) {
          out.close = out.close || list_contains(field.value, "close");
          out.keep_alive = out.keep_alive || list_contains(field.value, "keep-alive");
        }
        break;
      case 14:
        if (equals_ignoring_case(field.name, "content-length")) single = &out.content_length;
        break;
      case 17:
        if (equals_ignoring_case(field.name, "transfer-encoding")) single = &out.transfer_encoding;
        break;
      default: break;
    }
    if (single == nullptr) continue;
    if (*single != nullptr)
      return refuse("a field that may stand only once stands twice",
                    "Send Host, Content-Length, Transfer-Encoding and Expect once at most.");
    *single = &field;
  }
  return {};
}

Refusal admit_framing(const Framers& framers, Request& request) {
  request.framing = Framing::none;
  request.content_length = 0;
  if (framers.transfer_encoding != nullptr) {
    if (framers.content_length != nullptr) {
      return refuse("Content-Length and Transfer-Encoding exclude each other",
                    "Send one of the two.");
    }
    if (request.minor_version == 0)
      return refuse("HTTP/1.0 has no Transfer-Encoding", "Send a Content-Length, or use HTTP/1.1.");
    if (const Refusal refusal = admit_coding(framers.transfer_encoding->value)) return refusal;
    request.framing = Framing::chunked;
  } else if (framers.content_length != nullptr) {
    if (const Refusal refusal =
            admit_length(framers.content_length->value, request.content_length)) {
      return refusal;
    }
    request.framing = Framing::length;
  }
  return {};
}

}  // namespace

HeadScan scan_head(std::string_view bytes, std::size_t from, std::size_t max_bytes) {
  constexpr Refusal kTooLarge{
      431, "the head is larger than this server accepts",
      "Send fewer or shorter fields and a shorter target; cookies are the usual cause."};
  const std::size_t end = std::min(bytes.size(), max_bytes);
  for (std::size_t at = from; at < end; ++at) {
    if (bytes[at] != '\n') {
      if (const Refusal refusal = scan_byte(bytes, at)) return {0, refusal};
      continue;
    }
    if (const Refusal refusal = scan_line_feed(bytes, at)) return {0, refusal};
    if (at >= 3 && bytes[at - 2] == '\n') return {at + 1, {}};
  }
  if (bytes.size() >= max_bytes) return {0, kTooLarge};
  return {};
}

Refusal admit(const RawHead& head, Request& request) {
  const auto method = method_of(head.method);
  if (!method) {
    if (head.method == "CONNECT" || head.method == "TRACE")
      return {405, "this method is not offered", "Use a method that Allow names."};
    return {501, "this method is not known here", "Use GET, HEAD, PUT, POST or OPTIONS."};
  }
  request.method = *method;
  request.minor_version = static_cast<std::uint8_t>(head.minor_version);
  request.fields = head.fields;

  Framers framers;
  if (const Refusal refusal = collect(head.fields, framers)) return refusal;
  if (framers.host == nullptr)
    return refuse("a request must have a Host field", "Send Host with the site's name.");
  request.authority = framers.host->value;
  if (!split_authority(request.authority, request.host))
    return refuse("the Host field is malformed",
                  "Send a name or an address, and a port where it is not the usual one.");
  if (const Refusal refusal = admit_target(head.target, request)) return refusal;
  if (const Refusal refusal = admit_framing(framers, request)) return refusal;

  request.keep_alive = !framers.close && (head.minor_version >= 1 || framers.keep_alive);
  request.expects_continue = false;
  if (framers.expect != nullptr) {
    if (!equals_ignoring_case(framers.expect->value, "100-continue")) {
      return {417, "only Expect: 100-continue is understood", "Send that, or no Expect."};
    }
    // RFC 9110 10.1.1: ignored in HTTP/1.0, and without a body there is nothing to wait for.
    request.expects_continue = head.minor_version >= 1 && request.has_body();
  }
  return {};
}

}  // namespace cairn::http
