#include "storage/index_entry.h"

#include "base/limits.h"
#include "base/little_endian.h"

namespace cairn {

Place place_for(std::size_t size_bytes) {
  if (size_bytes <= kMaxIndexBodyBytes) return Place::index;
  return size_bytes < kMinLogBodyBytes ? Place::blob : Place::log;
}

void append_log_position(const LogPosition& position, std::string& out) {
  append_le(position.segment, out);
  append_le(position.offset, out);
}

bool take_log_position(std::string_view& in, LogPosition& position) {
  return take_le(in, position.segment) && take_le(in, position.offset);
}

void IndexEntry::encode(std::string& out) const {
  out.push_back(static_cast<char>(place));
  append_le(size_bytes, out);
  append_le(static_cast<std::uint64_t>(stored_at), out);
  if (place == Place::index) out.append(body);
  if (place == Place::log) append_log_position(position, out);
}

std::optional<IndexEntry> IndexEntry::decode(std::string_view raw) {
  IndexEntry entry;
  std::uint8_t place = 0;
  std::uint64_t stored_at = 0;
  if (!take_le(raw, place) || !take_le(raw, entry.size_bytes) || !take_le(raw, stored_at)) {
    return std::nullopt;
  }
  if (entry.size_bytes == 0 || entry.size_bytes > kMaxBlockBytes) return std::nullopt;
  entry.stored_at = static_cast<WallTime>(stored_at);
  entry.place = static_cast<Place>(place);
  switch (entry.place) {
    case Place::index:
      entry.body = raw;
      if (raw.size() != entry.size_bytes) return std::nullopt;
      return entry;
    case Place::blob:
      if (!raw.empty()) return std::nullopt;
      return entry;
    case Place::log:
      if (!take_log_position(raw, entry.position) || !raw.empty()) return std::nullopt;
      return entry;
  }
  return std::nullopt;
}

}  // namespace cairn
