// Header fields: borrowed ones of a request, and the list that a response is built from.
// A FieldList belongs to the response that holds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cairn::http {

/// One field of a request; borrows from the connection's buffer.
struct Field {
  std::string_view name;   ///< As sent.
  std::string_view value;  ///< Without surrounding white space.
};

/// Whether a field's name may hold `c` (RFC 9110 section 5.6.2).
bool is_token_byte(char c);

/// True when `a` and `b` are equal but for ASCII case.
bool equals_ignoring_case(std::string_view a, std::string_view b);

/// True when the comma-separated `list` has `token` as an element (ASCII case ignored).
bool list_contains(std::string_view list, std::string_view token);

/// A response's fields, kept as the very text that HTTP/1.1 sends: "Name: value\r\n" for each. The
/// capacity is kept over clear(), so that a reused response allocates nothing.
class FieldList {
 public:
  /// Appends a field. A name that is no token, or a value with a control byte (CR, LF and NUL break
  /// the framing; RFC 9110 section 5.5), is refused: nothing is added and false is returned, which
  /// a caller with outside input must check.
  bool add(std::string_view name, std::string_view value);
  bool add(std::string_view name, std::uint64_t value);

  /// Appends ready-made lines, each ending in CR LF, that the caller vouches for.
  void add_lines(std::string_view lines) { text_.append(lines); }
  /// Room for `size` bytes of such lines, to be filled by the caller before anything else is
  /// called.
  char* extend(std::size_t size) {
    text_.resize(text_.size() + size);
    return text_.data() + text_.size() - size;
  }

  /// The value of the first field of that name (ASCII case ignored); empty when there is none.
  std::string_view find(std::string_view name) const;

  /// Drops every field of that name (ASCII case ignored); true when there was one.
  bool remove(std::string_view name);

  std::string_view text() const { return text_; }
  void clear() { text_.clear(); }

 private:
  std::string text_;
};

}  // namespace cairn::http
