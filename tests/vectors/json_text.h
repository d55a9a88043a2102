// Writes the vector files: one case a line, in the order made, so that a change shows as a small
// difference. Owned by the generator's one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace cairn::vectors {

/// One case: an object on one line.
class JsonCase {
 public:
  /// `value` is printable ASCII.
  JsonCase& text(std::string_view name, std::string_view value);
  JsonCase& hex(std::string_view name, ByteView value);
  JsonCase& number(std::string_view name, std::size_t value);
  JsonCase& flag(std::string_view name, bool value);
  std::string line() const { return "{" + fields_ + "}"; }

 private:
  JsonCase& field(std::string_view name, const std::string& value);
  std::string fields_;
};

/// A whole file: {"about": …, "<section>": [cases], …}.
class JsonFile {
 public:
  explicit JsonFile(std::string_view about);
  void section(std::string_view name, const std::vector<JsonCase>& cases);
  std::string finish() const { return text_ + "\n}\n"; }

 private:
  std::string text_;
};

/// `size` bytes that follow from `label` alone.
Bytes bytes_from(std::string_view label, std::size_t size);

/// The files' contents.
std::string id_vectors();
std::string key_vectors();
std::string seal_vectors();
std::string sign_vectors();
std::string capability_vectors();
std::string chain_vectors();
std::string account_vectors();
std::string receipt_vectors();

}  // namespace cairn::vectors
