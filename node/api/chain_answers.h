// What the API says of chains: heads, pages of links and receipts as JSON, frames or events. Pure;
// any thread.
#pragma once

#include <string>

#include "base/chain_store.h"
#include "crypto/receipt.h"

namespace cairn::api {

/// {"chain":…,"seq":…,"link":…,"epoch":…,"trimmed_before":…,"rotated_at":…}, and "deleted":true
/// behind a delete link.
std::string head_json(const ChainHead& head);

/// The members "head" and "links" (base64url each), without braces.
std::string page_members(const LinkPage& page);

/// Length (u32, little-endian) and bytes of each.
std::string page_frames(const LinkPage& page);

/// {"chain":…,"seq":…,"link":…,"epoch":…,"time":…,"node":…,"signature":…}
std::string receipt_json(const Receipt& receipt, const ReceiptKey& key);

/// Appends the server-sent event of a link.
void append_link_event(std::uint64_t seq, ByteView link, std::string& out);

/// Appends the event that tells a follower to ask for what it misses; the id is where it goes on.
void append_resync_event(const ChainHead& head, std::string& out);

}  // namespace cairn::api
