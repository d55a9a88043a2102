// Page: all that is kept of one file of a site, ready to be answered with. Immutable but for when
// it was last checked; shared by all cores.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "node/static/directory.h"
#include "node/static/encoding.h"

namespace cairn::site {

/// The file in one encoding.
struct Variant {
  FileStamp stamp;
  std::string head;  ///< Fields as on the wire, all that do not depend on the request.
  std::string etag;  ///< Strong, with its quotes.
  std::unique_ptr<std::uint8_t[]> held;  ///< The content, where it is kept in memory; else
  std::shared_ptr<const OpenFile> file;  ///< what it is read from while it is sent.

  std::uint64_t size_bytes() const { return stamp.size_bytes; }
  bool in_memory() const { return file == nullptr; }
  ByteView content() const { return {held.get(), static_cast<std::size_t>(stamp.size_bytes)}; }
};

/// How old a check may be: from kRecheckAfter on one request checks while others are still
/// answered; past kStaleAtMost nobody is answered unchecked.
inline constexpr std::chrono::milliseconds kRecheckAfter{500};
inline constexpr std::chrono::milliseconds kStaleAtMost{1000};

struct Page {
  std::string name;  ///< Below the root.
  std::int64_t modified_s = 0;
  std::array<std::optional<Variant>, kEncodingCount> variants;  ///< Identity is always there.
  EncodingSet available{};
  bool has_siblings = false;
  bool all_in_memory = true;
  /// Changed so shortly before it was read that a further change need not show in its stamps.
  bool racy = false;
  std::size_t cost_bytes = 0;  ///< Memory that it takes, about.

  mutable std::atomic<std::int64_t> checked_ns{0};
  mutable std::atomic<bool> being_checked{false};

  const Variant& variant(Encoding encoding) const {
    return *variants[static_cast<std::size_t>(encoding)];
  }
  /// Whether the files that are read while they are sent are as they were found. Never waits for a
  /// disk.
  bool is_intact() const {
    return std::all_of(variants.begin(), variants.end(), [](const auto& variant) {
      return !variant || variant->in_memory() || variant->file->unchanged();
    });
  }
  std::chrono::nanoseconds age(MonoTime now) const {
    return std::chrono::nanoseconds(now.time_since_epoch().count() -
                                    checked_ns.load(std::memory_order_relaxed));
  }
  void set_checked(MonoTime when) const {
    checked_ns.store(when.time_since_epoch().count(), std::memory_order_relaxed);
    being_checked.store(false, std::memory_order_relaxed);
  }
  /// Whether a request at `now` may be answered without a check. The one that first finds it old
  /// may not: it is the one that checks.
  bool may_answer(MonoTime now) const {
    const auto old = age(now);
    if (old <= kRecheckAfter) return true;
    return old <= kStaleAtMost && being_checked.exchange(true, std::memory_order_relaxed);
  }
};

using PagePtr = std::shared_ptr<const Page>;

}  // namespace cairn::site
