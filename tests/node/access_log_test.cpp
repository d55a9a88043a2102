#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "node/access_log_file.h"
#include "node/event_log.h"
#include "tests/fakes/recording_log.h"
#include "tests/fakes/temporary_directory.h"

namespace cairn {
namespace {

class StandingClock final : public Clock {
 public:
  MonoTime mono() const override { return {}; }
  WallTime wall() const override { return WallTime{1'700'000'000'007}; }
};

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

std::size_t lines_in(const std::filesystem::path& path) {
  const std::string text = content_of(path);
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

class AccessLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<AccessLogFile> open(std::size_t cores = 1) {
    auto opened = AccessLogFile::open(path_.string(), cores, clock_, log_);
    EXPECT_TRUE(opened);
    return std::move(opened.value());
  }

  http::AccessRecord record(std::string_view path = "/v1/blocks/x") const {
    return {"GET",    "site.test", path, "127.0.0.1",
            "memory", 200,         12,   std::chrono::microseconds(34)};
  }

  TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_.path() / "access.log";
  StandingClock clock_;
  RecordingLog log_;
};

TEST_F(AccessLogTest, RequestIsOneJsonLine) {
  open()->record(0, record());
  EXPECT_EQ(content_of(path_),
            "{\"time\":\"2023-11-14T22:13:20.007Z\",\"method\":\"GET\",\"host\":\"site.test\","
            "\"path\":\"/v1/blocks/x\",\"status\":200,\"bytes\":12,\"duration_us\":34,"
            "\"client\":\"127.0.0.1\",\"answered_by\":\"memory\"}\n");
}

TEST_F(AccessLogTest, QuotesAndControlsCannotForgeALine) {
  open()->record(0, record("/\"}\n{\"status\":1"));
  EXPECT_EQ(lines_in(path_), 1U);
  EXPECT_NE(content_of(path_).find("/\\\"}\\u000a{\\\"status\\\":1"), std::string::npos);
}

TEST_F(AccessLogTest, LinesOfAllCoresAreWritten) {
  auto log = open(4);
  std::vector<std::thread> cores;
  for (std::size_t core = 0; core < 4; ++core) {
    cores.emplace_back([&log, core, this] {
      for (int i = 0; i < 1000; ++i) log->record(core, record());
    });
  }
  for (std::thread& core : cores) core.join();
  log->flush();
  EXPECT_EQ(lines_in(path_), 4000U);
  EXPECT_EQ(log->written(), 4000U);
  EXPECT_EQ(log->dropped(), 0U);
}

TEST_F(AccessLogTest, RotatedFileIsOpenedAnew) {
  auto log = open();
  log->record(0, record());
  log->flush();
  std::filesystem::rename(path_, path_.string() + ".1");
  log->record(0, record());
  log->reopen();
  log->flush();
  EXPECT_EQ(lines_in(path_.string() + ".1"), 1U);
  EXPECT_EQ(lines_in(path_), 1U);
}

TEST_F(AccessLogTest, FullDeviceDropsAndCountsAndSaysSoOnce) {
  auto opened = AccessLogFile::open("/dev/full", 1, clock_, log_);
  ASSERT_TRUE(opened);
  for (int round = 0; round < 3; ++round) {
    opened.value()->record(0, record());
    opened.value()->flush();
  }
  EXPECT_EQ(opened.value()->dropped(), 3U);
  EXPECT_EQ(log_.count("access_log_failed"), 1U);
}

TEST_F(AccessLogTest, FailureIsToldAgainAfterASuccess) {
  auto log = open();
  const auto write_to = [&](const char* target) {
    std::filesystem::remove(path_);
    std::filesystem::create_symlink(target, path_);
    log->reopen();
    log->record(0, record());
    log->flush();
  };
  write_to("/dev/full");
  write_to("/dev/null");
  write_to("/dev/full");
  write_to("/dev/full");
  EXPECT_EQ(log_.count("access_log_failed"), 2U);
  EXPECT_EQ(log->dropped(), 3U);
  EXPECT_EQ(log->written(), 1U);
}

TEST_F(AccessLogTest, StalledReaderOfAPipeHoldsNothingAndIsCounted) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const int reader = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  {
    auto log = open();
    const std::string path(1000, 'x');
    for (int i = 0; i < 200; ++i) log->record(0, record(path));
    log->flush();
    EXPECT_GT(log->written(), 0U);
    EXPECT_GT(log->dropped(), 0U);
    EXPECT_EQ(log->written() + log->dropped(), 200U);
    EXPECT_EQ(log_.count("access_log_failed"), 1U);
  }
  // What the pipe took is whole lines.
  std::string taken(1U << 20U, '\0');
  const ssize_t size = ::read(reader, taken.data(), taken.size());
  ASSERT_GT(size, 0);
  EXPECT_EQ(taken[static_cast<std::size_t>(size) - 1], '\n');
  ::close(reader);
}

TEST_F(AccessLogTest, FileIsReadableByItsGroupWhateverTheUmask) {
  const mode_t before = ::umask(0077);
  open();
  struct stat info {};
  EXPECT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0640U);
  // A mode that somebody chose is left alone.
  EXPECT_EQ(::chmod(path_.c_str(), 0600), 0);
  open();
  EXPECT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  ::umask(before);
}

TEST_F(AccessLogTest, UnopenableFileIsAnError) {
  const auto opened = AccessLogFile::open("/nonexistent/a.log", 1, clock_, log_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().detail, "/nonexistent/a.log: No such file or directory");
}

TEST_F(AccessLogTest, EventLogGoesOnAfterReopen) {
  const auto events = directory_.path() / "events.log";
  EventLog log(events.string(), LogLevel::info, clock_);
  log.event(LogLevel::info, "one");
  std::filesystem::rename(events, events.string() + ".1");
  EXPECT_EQ(log.reopen(events.string(), LogLevel::warn), "");
  log.event(LogLevel::info, "two");
  log.event(LogLevel::warn, "three");
  EXPECT_EQ(lines_in(events.string() + ".1"), 1U);
  EXPECT_EQ(lines_in(events), 1U);
  EXPECT_NE(log.reopen("/dev/null/e.log", LogLevel::info), "");
  log.event(LogLevel::warn, "four");
  EXPECT_EQ(lines_in(events), 2U);
}

}  // namespace
}  // namespace cairn
