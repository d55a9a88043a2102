// The fields that every answer about a held block carries, rendered from one template. Rendering
// beats keeping them with the block: docs/decisions/0001-heads-are-rendered-not-stored.md. Pure.
#pragma once

#include <array>
#include <string_view>

#include "base/block_store.h"
#include "base/ids.h"
#include "node/http/fields.h"

namespace cairn::api {

/// The entity tag of a block: its id in quotes. Lives where it is declared.
class BlockTagText {
 public:
  explicit BlockTagText(const BlockId& id);
  std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, BlockId::kTextSize + 2> text_;
};

/// Appends Content-Type, ETag, Cache-Control, Accept-Ranges, Repr-Digest (RFC 9530),
/// X-Content-Type-Options and Cairn-Source. Allocates nothing once `fields` has the capacity.
void render_block_head(const BlockId& id, Source source, http::FieldList& fields);

}  // namespace cairn::api
