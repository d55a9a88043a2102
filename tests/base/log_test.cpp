#include "base/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace cairn {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonString, ControlAndQuoteCharactersAreEscaped) {
  EXPECT_EQ(quoted("a\"b\\c\n\x01"), R"("a\"b\\c\u000a\u0001")");
  EXPECT_EQ(quoted("grün €"), "\"grün €\"");
}

TEST(JsonString, InvalidUtf8BecomesReplacement) {
  EXPECT_EQ(quoted("a\xff"
                   "b\xc0\xaf\xed\xa0\x80\xf0\x9f"),
            "\"a\\ufffdb\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

class FixedClock final : public Clock {
 public:
  MonoTime mono() const override { return {}; }
  WallTime wall() const override { return static_cast<WallTime>(1'700'000'000'123); }
};

TEST(JsonLog, EventIsOneLineAndLowLevelsAreDropped) {
  std::string name = ::testing::TempDir() + "cairn-log-XXXXXX";
  const int fd = mkstemp(name.data());
  ASSERT_GE(fd, 0);
  close(fd);
  const FixedClock clock;
  {
    auto log = make_json_log(name, LogLevel::info, clock);
    log->event(LogLevel::debug, "dropped");
    log->event(LogLevel::warn, "disk_low", {{"free_bytes", std::uint64_t{7}}, {"path", "a\nb"}});
  }
  std::ifstream in(name);
  std::stringstream content;
  content << in.rdbuf();
  EXPECT_EQ(content.str(),
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"warn\",\"event\":\"disk_low\","
            "\"free_bytes\":7,\"path\":\"a\\u000ab\"}\n");
  std::filesystem::remove(name);
}

TEST(JsonLog, UnopenableFileThrowsAtStartUp) {
  const FixedClock clock;
  EXPECT_THROW(make_json_log("/dev/null/log", LogLevel::info, clock), std::runtime_error);
}

}  // namespace
}  // namespace cairn
