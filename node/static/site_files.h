// SiteFiles: finds what a path of a site stands for and reads it into a Page. Everything here
// blocks and runs on a BlockingPool's threads; immutable, shared by them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "node/static/page.h"

namespace cairn::site {

/// Text (letters and digits) that differs for different bytes; the composition gives a
/// cryptographic one.
using ContentHash = std::function<std::string(ByteView)>;

struct SiteFilesOptions {
  std::string root;
  std::vector<std::string> index;
  std::string common_fields;  ///< Lines that every answer carries.
  std::string cache_control;  ///< In place of the rule by name; empty: the rule.
  ContentHash content_hash;   ///< May be empty: then tags are made of stamps.
  std::size_t largest_held_bytes = 0;
};

/// What a path stands for.
struct LookUp {
  enum class Kind : std::uint8_t {
    page,
    unchanged,  ///< The page that was known is still right.
    redirect,   ///< A folder, asked for without its '/'.
  };
  Kind kind = Kind::page;
  PagePtr page;
};

class SiteFiles {
 public:
  /// Throws std::runtime_error when the root cannot be opened or the kernel is too old.
  explicit SiteFiles(SiteFilesOptions options);

  /// `path` is decoded (url_path.h); `known` is what is kept for it, or null. The root is opened
  /// anew each time, so that a new release can be put in its place. Errors: not_found, overloaded,
  /// unavailable.
  Result<LookUp> look_up(const std::string& path, const PagePtr& known, const Clock& clock) const;

 private:
  Result<std::string> name_of(const Directory& root, const std::string& path) const;
  bool is_unchanged(const Directory& root, const std::string& name, const Page& known) const;
  Result<PagePtr> read_page(const Directory& root, const std::string& name,
                            const Clock& clock) const;
  Result<Variant> read_variant(const Directory& root, const std::string& name) const;
  std::string tag_of(const Variant& variant) const;
  void finish_heads(Page& page) const;

  const SiteFilesOptions options_;
};

}  // namespace cairn::site
