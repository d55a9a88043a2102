#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace cairn {
namespace {

TEST(Utf8, ShortestFormsAreValid) {
  for (const char* text :
       {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  EXPECT_TRUE(is_utf8(std::string("a\0b", 3)));
}

TEST(Utf8, OverlongSurrogateAndCutFormsAreInvalid) {
  for (const char* text :
       {"\x80", "\xbf", "\xc0\xae", "\xc1\xbf", "\xc2", "\xe0\x80\xae", "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82", "\xf0\x80\x80\xae", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xfe", "\xc3\xa4\xc3"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(Utf8, PrintableTextIsOneLineThatSteersNoTerminal) {
  EXPECT_EQ(printable("a \xc3\xa4 \xe2\x82\xac \\n"), "a \xc3\xa4 \xe2\x82\xac \\n");
  EXPECT_EQ(printable("a\nb\x1b[K\x7f"), "a\\x0ab\\x1b[K\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "1m \xff"),
            "\\xc2\\x9b1m \\xff");
}

}  // namespace
}  // namespace cairn
