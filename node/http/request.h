// Request: one parsed and gated request head. Everything borrows from the connection, which keeps
// it until the answer is complete; whoever needs more copies it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "node/http/fields.h"

namespace cairn::http {

enum class Method : std::uint8_t { get, head, put, post, patch, delete_, options };

/// The method's name as it stands on the wire.
std::string_view name_of(Method method);

/// How the body is delimited on the wire, as the gate found it.
enum class Framing : std::uint8_t { none, length, chunked };

struct Request {
  Method method = Method::get;
  std::string_view
      target;  ///< As sent: origin-form (absolute-form is reduced to it), or "*" for OPTIONS.
  std::string_view path;       ///< `target` before '?', still percent-encoded; begins with '/'.
  std::string_view query;      ///< `target` behind '?'; may hold secrets, never logged.
  std::string_view host;       ///< Host without the port, as sent; never empty.
  std::string_view authority;  ///< Host with the port, as sent.
  std::span<const Field> fields;
  std::uint8_t minor_version = 1;  ///< HTTP/1.minor.
  bool keep_alive = true;
  bool expects_continue = false;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;  ///< Meaningful for Framing::length.
  std::string_view peer;             ///< The client's address as text.
  bool secure = false;               ///< Came over TLS.
  MonoTime received{};               ///< When the head was complete.

  /// The first field of that name (ASCII case ignored), or nothing.
  std::optional<std::string_view> field(std::string_view name) const;
  bool has_body() const {
    return framing == Framing::chunked || (framing == Framing::length && content_length > 0);
  }
};

}  // namespace cairn::http
