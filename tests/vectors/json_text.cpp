#include "json_text.h"

#include "base/assert.h"
#include "crypto/hash.h"

namespace cairn::vectors {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    CAIRN_ASSERT(c >= 0x20 && c < 0x7f);
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

}  // namespace

JsonCase& JsonCase::field(std::string_view name, const std::string& value) {
  if (!fields_.empty()) fields_ += ", ";
  fields_ += quoted(name) + ": " + value;
  return *this;
}

JsonCase& JsonCase::text(std::string_view name, std::string_view value) {
  return field(name, quoted(value));
}

JsonCase& JsonCase::hex(std::string_view name, ByteView value) {
  return text(name, to_hex(value));
}

JsonCase& JsonCase::number(std::string_view name, std::size_t value) {
  return field(name, std::to_string(value));
}

JsonCase& JsonCase::flag(std::string_view name, bool value) {
  return field(name, value ? "true" : "false");
}

JsonFile::JsonFile(std::string_view about) : text_("{\n\"about\": " + quoted(about)) {}

void JsonFile::section(std::string_view name, const std::vector<JsonCase>& cases) {
  text_ += ",\n" + quoted(name) + ": [";
  std::string_view separator = "\n";
  for (const JsonCase& one : cases) {
    text_ += separator;
    text_ += one.line();
    separator = ",\n";
  }
  text_ += "\n]";
}

Bytes bytes_from(std::string_view label, std::size_t size) {
  Bytes out;
  Sha256 hasher;
  for (std::size_t counter = 0; out.size() < size; ++counter) {
    hasher.update(as_bytes(label));
    hasher.update(as_bytes(std::to_string(counter)));
    const auto digest = hasher.finish();
    out.insert(out.end(), digest.begin(), digest.end());
  }
  out.resize(size);
  return out;
}

}  // namespace cairn::vectors
