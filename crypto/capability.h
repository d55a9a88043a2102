// Capability strings: a chain with the secret that opens or writes it, to be handed on in a URL
// fragment or a file, never to a server (docs/formats.md, "Capability strings"). Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/ids.h"
#include "crypto/keys.h"

namespace cairn {

/// `cairn_w_…`: may write, and so also read.
struct WriteCapability {
  ChainId chain;
  WriteSecret secret;
  friend bool operator==(const WriteCapability&, const WriteCapability&) = default;
};

/// `cairn_r_…`: may read.
struct ReadCapability {
  ChainId chain;
  ReadSecret secret;
  friend bool operator==(const ReadCapability&, const ReadCapability&) = default;
};

/// `cairn_v_…`: may check order and authorship, and read nothing.
struct VerifyCapability {
  ChainId chain;
  friend bool operator==(const VerifyCapability&, const VerifyCapability&) = default;
};

using Capability = std::variant<WriteCapability, ReadCapability, VerifyCapability>;

/// Prefix and base64url(suite | chain[32] | secret[32], not for v | CRC-32 of these bytes, u32 LE).
/// The string is a secret; wiping it is the caller's.
std::string capability_text(const Capability& capability);

/// Strict inverse of capability_text: nothing for another prefix, suite, length, spelling of the
/// base64url or checksum (zlib's polynomial). The checksum finds typing errors, not forgery.
std::optional<Capability> parse_capability(std::string_view text);

}  // namespace cairn
