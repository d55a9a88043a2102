// Log files over room made ready before: what a start finds in them after the machine died, and
// that a file which was a log before brings nothing of it back.
#include "storage/log_file_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "storage/database.h"
#include "tests/fakes/recording_log.h"
#include "tests/fakes/temporary_directory.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kRoom = std::uint64_t{2} << 20;
constexpr std::size_t kPage = 4096;

class LogFilePoolTest : public ::testing::Test {
 protected:
  std::unique_ptr<Database> open(const fs::path& directory) {
    Database::Options options;
    options.directory = directory;
    options.log_file_bytes = kRoom;
    auto opened = Database::open(options, log_);
    EXPECT_TRUE(opened.has_value()) << opened.error().detail;
    return opened ? std::move(opened).value() : nullptr;
  }
  static void write(Database& database, int number, std::size_t bytes = 1'000) {
    rocksdb::WriteBatch batch;
    batch.Put(database.index(), key_of(number), std::string(bytes, 'v'));
    ASSERT_TRUE(database.write(batch, true).has_value());
  }
  static bool holds(Database& database, int number) {
    std::string value;
    return database.db().Get({}, database.index(), key_of(number), &value).ok();
  }
  static std::string key_of(int number) { return "key-" + std::to_string(number); }

  static std::vector<fs::path> files(const fs::path& directory, std::string_view part) {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.path().filename().string().find(part) != std::string::npos) {
        out.push_back(entry.path());
      }
    }
    std::ranges::sort(out);
    return out;
  }
  /// What kill -9 leaves: the files as they are. Again if one goes meanwhile.
  fs::path copy_of(const fs::path& directory, const std::string& name) const {
    fs::path copy = root_.path() / name;
    std::error_code error;
    do {
      error.clear();
      fs::remove_all(copy);
      fs::copy(directory, copy, fs::copy_options::recursive, error);
    } while (error == std::errc::no_such_file_or_directory);
    EXPECT_FALSE(error) << error.message();
    return copy;
  }
  fs::path made(const std::string& name) const {
    fs::create_directory(root_.path() / name);
    return root_.path() / name;
  }
  static std::string contents(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::size_t end_of_records(const fs::path& file) {
    const std::string all = contents(file);
    return all.find_last_not_of('\0') + 1;
  }

  TemporaryDirectory root_;
  RecordingLog log_;
};

TEST_F(LogFilePoolTest, NewStoreWritesOverItsRoomAndAKilledOneFindsEverything) {
  const auto directory = made("store");
  const auto database = open(directory);
  const auto logs = files(directory, ".log");
  ASSERT_EQ(logs.size(), 1U);
  EXPECT_EQ(fs::file_size(logs.front()), kRoom);
  for (int number = 0; number < 100; ++number) write(*database, number);
  EXPECT_EQ(fs::file_size(logs.front()), kRoom);
  const auto killed = open(copy_of(directory, "killed"));
  for (int number = 0; number < 100; ++number) EXPECT_TRUE(holds(*killed, number)) << number;
}

TEST_F(LogFilePoolTest, LogThatOutgrowsItsRoomGoesOn) {
  const auto directory = made("store");
  const auto database = open(directory);
  for (int number = 0; number < 50; ++number) write(*database, number, 100'000);
  EXPECT_GT(fs::file_size(files(directory, ".log").front()), kRoom);
  const auto killed = open(copy_of(directory, "killed"));
  for (int number = 0; number < 50; ++number) EXPECT_TRUE(holds(*killed, number)) << number;
}

TEST_F(LogFilePoolTest, RemovedLogBecomesRoomWithNothingOfItLeft) {
  const auto directory = made("store");
  auto database = open(directory);
  for (int round = 0; round < 5; ++round) {
    // Long logs before short ones: what lay behind the end must not come back.
    write(*database, round, round % 2 == 0 ? 1'500'000 : 10);
    ASSERT_TRUE(database->flush().has_value());
    const auto killed = open(copy_of(directory, "killed-" + std::to_string(round)));
    for (int number = 0; number <= round; ++number) EXPECT_TRUE(holds(*killed, number));
    for (const auto& spare : files(directory, "spare-log")) {
      if (spare.extension() == ".filling") continue;
      const std::string bytes = contents(spare);
      EXPECT_EQ(bytes.size(), kRoom);
      EXPECT_EQ(bytes.find_first_not_of('\0'), std::string::npos);
    }
  }
  EXPECT_LE(files(directory, "spare-log").size(), LogFilePool::kFiles);
}

TEST_F(LogFilePoolTest, RecordsThatDidNotReachTheDiskWholeCostNothingBeforeThem) {
  std::mt19937 random(20'261'125);  // NOLINT(*-msc51-cpp): the same each time.
  for (int round = 0; round < 20; ++round) {
    const auto directory = made("store-" + std::to_string(round));
    auto database = open(directory);
    const auto log = files(directory, ".log").front();
    const int durable = static_cast<int>(random() % 40);
    for (int number = 0; number < durable; ++number) {
      write(*database, number, random() % 9'000);
    }
    const std::size_t end = end_of_records(log);
    // Acknowledged to nobody: of these, any page may be missing.
    for (int number = 0; number < 10; ++number) {
      write(*database, 1'000 + number, random() % 9'000);
    }
    const auto crashed = copy_of(directory, "crashed-" + std::to_string(round));
    const auto copy = files(crashed, ".log").front();
    std::string bytes = contents(copy);
    const std::size_t last = end_of_records(copy);
    for (std::size_t page = end / kPage; page * kPage < last; ++page) {
      if (random() % 3 != 0) continue;
      const std::size_t from = std::max(page * kPage, end);
      const std::size_t to = std::min((page + 1) * kPage, bytes.size());
      if (from < to) overwrite_file(copy, from, std::string(to - from, '\0'));
    }
    const auto started = open(crashed);
    ASSERT_NE(started, nullptr) << round;
    for (int number = 0; number < durable; ++number) {
      EXPECT_TRUE(holds(*started, number)) << round << ", " << number;
    }
    write(*started, 5'000);
    EXPECT_TRUE(holds(*started, 5'000));
  }
}

TEST_F(LogFilePoolTest, WhatAStartFindsHalfFilledOrOfAnotherSizeIsNotUsed) {
  const auto directory = made("store");
  std::ofstream(directory / "spare-log-0.filling") << "half";
  std::ofstream(directory / "spare-log-1") << "records of long ago";
  const auto database = open(directory);
  ASSERT_NE(database, nullptr);
  EXPECT_TRUE(files(directory, "spare-log").empty());
  EXPECT_EQ(fs::file_size(files(directory, ".log").front()), kRoom);
  EXPECT_EQ(end_of_records(files(directory, ".log").front()), 0U);
}

TEST_F(LogFilePoolTest, WithoutRoomForItTheStoreOpensAllTheSame) {
  const auto directory = made("store");
  // Nothing can be made where a directory is in the way.
  fs::create_directories(directory / "spare-log-0.filling" / "in-the-way");
  const auto database = open(directory);
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(log_.count("no_log_files_ready"), 1U);
  write(*database, 1);
  EXPECT_TRUE(holds(*database, 1));
}

}  // namespace
}  // namespace cairn
