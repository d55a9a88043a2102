#include "node/http/fields.h"

#include <gtest/gtest.h>

#include "tests/node/http/requests.h"

namespace cairn::http {
namespace {

TEST(Fields, NamesCompareWithoutAsciiCase) {
  EXPECT_TRUE(equals_ignoring_case("Content-LENGTH", "content-length"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  // '@' and '`' differ by the case bit and are no letters.
  EXPECT_FALSE(equals_ignoring_case("@", "`"));
  EXPECT_FALSE(equals_ignoring_case("\xC3\x84", "\xC3\xA4"));
}

TEST(Fields, ListContainsFindsWholeElementsOnly) {
  EXPECT_TRUE(list_contains("gzip, Chunked", "chunked"));
  EXPECT_TRUE(list_contains(" ,,\tclose ,", "close"));
  EXPECT_FALSE(list_contains("xchunked", "chunked"));
  EXPECT_FALSE(list_contains("chunked;q=1", "chunked"));
  EXPECT_FALSE(list_contains("", "chunked"));
  EXPECT_FALSE(list_contains(",", ""));
}

TEST(FieldList, AddedFieldsStandAsOnTheWire) {
  FieldList fields;
  EXPECT_TRUE(fields.add("ETag", "\"x\""));
  EXPECT_TRUE(fields.add("Age", std::uint64_t{18446744073709551615U}));
  fields.add_lines("Vary: Origin\r\n");
  EXPECT_EQ(fields.text(), "ETag: \"x\"\r\nAge: 18446744073709551615\r\nVary: Origin\r\n");
  EXPECT_EQ(fields.find("etag"), "\"x\"");
  EXPECT_EQ(fields.find("VARY"), "Origin");
  EXPECT_EQ(fields.find("Var"), "");
}

// Bad-input row 31: whatever a site or a client makes us send cannot break out of its line.
TEST(FieldList, ValueWithControlBytesRefused) {
  FieldList fields;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string value = std::string("a") + static_cast<char>(byte) + "b";
    const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    fields.clear();
    EXPECT_EQ(fields.add("Location", value), !control) << byte;
    EXPECT_EQ(fields.text().empty(), control) << byte;
  }
  fields.clear();
  EXPECT_FALSE(fields.add("Location", "/x\r\nSet-Cookie: a=b"));
  EXPECT_EQ(fields.text(), "");
}

TEST(FieldList, NameThatIsNoTokenRefused) {
  FieldList fields;
  for (const std::string_view name : {"", "a b", "a:", "a\r\n", "\xC3\xA4", "a\"", "(a)"}) {
    EXPECT_FALSE(fields.add(name, "x")) << name;
  }
  EXPECT_EQ(fields.text(), "");
}

TEST(FieldList, RemoveDropsEveryLineOfThatNameOnly) {
  FieldList fields;
  fields.add("Vary", "a");
  fields.add("Content-Type", "x");
  fields.add("vary", "b");
  fields.add("Vary-Not", "c");
  EXPECT_TRUE(fields.remove("VARY"));
  EXPECT_EQ(fields.text(), "Content-Type: x\r\nVary-Not: c\r\n");
  EXPECT_FALSE(fields.remove("Vary"));
}

TEST(FieldList, ClearKeepsCapacity) {
  FieldList fields;
  fields.add("A", std::string(1000, 'x'));
  const char* before = fields.text().data();
  fields.clear();
  fields.add("A", std::string(900, 'y'));
  EXPECT_EQ(fields.text().data(), before);
}

TEST(RequestFields, FirstFieldOfThatNameIsFound) {
  const TestRequest request(Method::get, "/", {{"a", "1"}, {"Range", "x"}, {"RANGE", "y"}});
  EXPECT_EQ(static_cast<const Request&>(request).field("range"), "x");
  EXPECT_EQ(static_cast<const Request&>(request).field("none"), std::nullopt);
}

TEST(RequestMethod, NamesStandAsOnTheWire) {
  EXPECT_EQ(name_of(Method::delete_), "DELETE");
  EXPECT_EQ(name_of(Method::options), "OPTIONS");
}

}  // namespace
}  // namespace cairn::http
