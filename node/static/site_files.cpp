#include "node/static/site_files.h"

#include <algorithm>
#include <stdexcept>

#include "node/http/conditional.h"
#include "node/http/fields.h"
#include "node/static/directory.h"
#include "node/static/naming.h"
#include "node/static/url_path.h"

namespace cairn::site {
namespace {

constexpr std::array<Encoding, kEncodingCount> kEncodings{Encoding::identity, Encoding::gzip,
                                                          Encoding::brotli};
constexpr int kReadAttempts = 4;
// A file system may stamp two changes within its clock's tick alike; some tick in seconds.
constexpr std::int64_t kRacyNs = 2'000'000'000;
// An open file costs no bytes, but there must not be too many of them.
constexpr std::size_t kOpenFileCost = std::size_t{64} << 10;

std::uint64_t mix(std::uint64_t value) {
  value ^= value >> 30;
  value *= 0xBF58476D1CE4E5B9U;
  value ^= value >> 27;
  value *= 0x94D049BB133111EBU;
  return value ^ (value >> 31);
}

/// 128 bits of a file's stamp as hexadecimal: tells versions apart and does not tell the inode.
std::string text_of(const FileStamp& stamp) {
  std::array<std::uint8_t, 16> digest{};
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t state = 0x9E3779B97F4A7C15U * (half + 1);
    for (const std::uint64_t part : {stamp.device, stamp.inode, stamp.size_bytes,
                                     static_cast<std::uint64_t>(stamp.modified_ns),
                                     static_cast<std::uint64_t>(stamp.changed_ns)}) {
      state = mix(state + part + 0x9E3779B97F4A7C15U);
    }
    for (std::size_t i = 0; i < 8; ++i) {
      digest[half * 8 + i] = static_cast<std::uint8_t>(state >> (8 * i));
    }
  }
  return to_hex(digest);
}

std::int64_t floor_seconds(std::int64_t nanoseconds) {
  constexpr std::int64_t second = 1'000'000'000;
  return nanoseconds / second - (nanoseconds % second < 0 ? 1 : 0);
}

}  // namespace

SiteFiles::SiteFiles(SiteFilesOptions options) : options_(std::move(options)) {
  const auto root = Directory::open(options_.root);
  if (!root) throw std::runtime_error("the site's root cannot be opened: " + root.error().detail);
  root.value().require_safe_resolution();
}

Result<LookUp> SiteFiles::look_up(const std::string& path, const PagePtr& known,
                                  const Clock& clock) const {
  const MonoTime now = clock.mono();
  CAIRN_TRY(const Directory root, Directory::open(options_.root));
  CAIRN_TRY(const std::string name, name_of(root, path));
  if (name.empty()) return LookUp{.kind = LookUp::Kind::redirect, .page = nullptr};
  if (known && known->name == name && is_unchanged(root, name, *known)) {
    known->set_checked(now);
    return LookUp{.kind = LookUp::Kind::unchanged, .page = known};
  }
  CAIRN_TRY(PagePtr page, read_page(root, name, clock));
  page->set_checked(now);
  return LookUp{.kind = LookUp::Kind::page, .page = std::move(page)};
}

/// The file that `path` stands for; empty for a folder with an index that was asked for without its
/// '/'.
Result<std::string> SiteFiles::name_of(const Directory& root, const std::string& path) const {
  const std::string name = path.substr(1);
  FileStamp stamp;
  const bool folder = name.empty() || name.back() == '/';
  if (!folder) {
    CAIRN_TRY(const NodeKind kind, root.kind_of(name, stamp));
    if (kind == NodeKind::file) return name;
  }
  for (const std::string& index : options_.index) {
    const std::string candidate = name + (folder ? "" : "/") + index;
    const auto kind = root.kind_of(candidate, stamp);
    if (kind && kind.value() == NodeKind::file) return folder ? candidate : std::string();
    if (!kind && kind.error().code != Errc::not_found) return kind.error();
  }
  return fail(Errc::not_found, "a folder without an index");
}

bool SiteFiles::is_unchanged(const Directory& root, const std::string& name,
                             const Page& known) const {
  if (known.racy) return false;
  for (const Encoding encoding : kEncodings) {
    FileStamp stamp;
    const auto kind = root.kind_of(name + std::string(suffix_of(encoding)), stamp);
    const bool there = kind && kind.value() == NodeKind::file;
    const auto& variant = known.variants[static_cast<std::size_t>(encoding)];
    if (there != variant.has_value()) return false;
    if (there && stamp != variant->stamp) return false;
  }
  return true;
}

Result<Variant> SiteFiles::read_variant(const Directory& root, const std::string& name) const {
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    CAIRN_TRY(const std::shared_ptr<const OpenFile> file, root.open_file(name));
    Variant variant;
    variant.stamp = file->stamp();
    const std::uint64_t size = variant.stamp.size_bytes;
    if (size > options_.largest_held_bytes) {
      variant.file = file;
      variant.etag = tag_of(variant);
      return variant;
    }
    variant.held = std::make_unique_for_overwrite<std::uint8_t[]>(size);
    CAIRN_TRY(const std::size_t got, file->read(0, {variant.held.get(), size}));
    if (got == size && file->unchanged()) {
      variant.etag = tag_of(variant);
      return variant;
    }
  }
  return fail(Errc::unavailable, "the file keeps changing while it is read");
}

std::string SiteFiles::tag_of(const Variant& variant) const {
  const bool by_content = variant.in_memory() && options_.content_hash;
  std::string text =
      by_content ? options_.content_hash(variant.content()).substr(0, 32) : text_of(variant.stamp);
  return "\"" + text + "\"";
}

Result<PagePtr> SiteFiles::read_page(const Directory& root, const std::string& name,
                                     const Clock& clock) const {
  auto page = std::make_shared<Page>();
  page->name = name;
  const std::int64_t now_ns = static_cast<std::int64_t>(clock.wall()) * 1'000'000;
  for (const Encoding encoding : kEncodings) {
    auto variant = read_variant(root, name + std::string(suffix_of(encoding)));
    if (!variant) {
      if (encoding == Encoding::identity) return variant.error();
      if (variant.error().code != Errc::not_found) return variant.error();
      continue;
    }
    const FileStamp& stamp = variant.value().stamp;
    page->racy = page->racy || std::max(stamp.modified_ns, stamp.changed_ns) > now_ns - kRacyNs;
    page->available[static_cast<std::size_t>(encoding)] = true;
    page->has_siblings = page->has_siblings || encoding != Encoding::identity;
    page->variants[static_cast<std::size_t>(encoding)] = std::move(variant.value());
  }
  page->modified_s = floor_seconds(page->variant(Encoding::identity).stamp.modified_ns);
  finish_heads(*page);
  return PagePtr(std::move(page));
}

void SiteFiles::finish_heads(Page& page) const {
  const std::string_view name = last_segment(page.name);
  // What changed a moment ago may still be in the making.
  const bool settled = has_content_hash(name) && !page.racy;
  const std::string_view rule = settled ? "public, max-age=31536000, immutable" : "no-cache";
  page.cost_bytes = sizeof(Page) + 2 * page.name.size();
  for (const Encoding encoding : kEncodings) {
    auto& variant = page.variants[static_cast<std::size_t>(encoding)];
    if (!variant) continue;
    // Equal bytes under two encodings are still two representations.
    if (encoding != Encoding::identity) {
      variant->etag.insert(variant->etag.size() - 1, "-" + std::string(token_of(encoding)));
    }
    http::FieldList fields;
    fields.add("Content-Type", media_type_of(name));
    fields.add("ETag", variant->etag);
    fields.add("Last-Modified", http::http_date(page.modified_s));
    fields.add("Cache-Control",
               options_.cache_control.empty() ? rule : std::string_view(options_.cache_control));
    fields.add_lines("Accept-Ranges: bytes\r\n");
    if (page.has_siblings) fields.add_lines("Vary: Accept-Encoding\r\n");
    if (encoding != Encoding::identity) fields.add("Content-Encoding", token_of(encoding));
    fields.add_lines(options_.common_fields);
    variant->head = fields.text();
    page.all_in_memory = page.all_in_memory && variant->in_memory();
    page.cost_bytes += variant->head.size() + variant->etag.size() +
                       (variant->in_memory() ? variant->size_bytes() : kOpenFileCost);
  }
}

}  // namespace cairn::site
