#include "node/static/naming.h"

#include <algorithm>
#include <array>
#include <utility>

#include "node/http/fields.h"

namespace cairn::site {
namespace {

constexpr std::size_t kShortestHash = 8;

constexpr auto kTypes = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"aac", "audio/aac"},
    {"apng", "image/apng"},
    {"atom", "application/atom+xml"},
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"eot", "application/vnd.ms-fontobject"},
    {"epub", "application/epub+zip"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"glb", "model/gltf-binary"},
    {"gltf", "model/gltf+json"},
    {"gz", "application/gzip"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/x-icon"},
    {"ics", "text/calendar; charset=utf-8"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"jsonld", "application/ld+json"},
    {"jxl", "image/jxl"},
    {"m4a", "audio/mp4"},
    {"m4v", "video/mp4"},
    {"map", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"rss", "application/rss+xml"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"vtt", "text/vtt; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"weba", "audio/webm"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
});

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool looks_like_hash(std::string_view part) {
  if (part.size() < kShortestHash) return false;
  std::size_t digits = 0;
  std::size_t switches = 0;
  bool hex = true;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool digit = is_digit(part[i]);
    if (!digit && !is_letter(part[i])) return false;
    hex = hex && (digit || (part[i] >= 'a' && part[i] <= 'f'));
    digits += digit ? 1 : 0;
    if (i > 0 && digit != is_digit(part[i - 1])) ++switches;
  }
  if (hex) return digits > 0 && digits < part.size();
  return digits >= 2 && switches >= 3;
}

}  // namespace

std::string_view media_type_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot != std::string_view::npos) {
    const std::string_view extension = name.substr(dot + 1);
    for (const auto& [known, type] : kTypes) {
      if (http::equals_ignoring_case(extension, known)) return type;
    }
  }
  return "application/octet-stream";
}

bool has_content_hash(std::string_view name) {
  constexpr std::string_view separators = "-._";
  const std::size_t extension = name.rfind('.');
  if (extension == std::string_view::npos) return false;
  std::string_view stem = name.substr(0, extension);
  std::size_t begin = stem.find_first_of(separators);
  while (begin != std::string_view::npos) {
    stem.remove_prefix(begin + 1);
    begin = stem.find_first_of(separators);
    if (looks_like_hash(stem.substr(0, begin))) return true;
  }
  return false;
}

}  // namespace cairn::site
