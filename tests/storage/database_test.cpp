// When the database calls itself stopped, and that looking at it changes nothing.
#include "storage/database.h"

#include <gtest/gtest.h>
#include <rocksdb/listener.h>

#include <thread>

#include "base/clock.h"
#include "tests/fakes/recording_log.h"
#include "tests/fakes/temporary_directory.h"
#include "tests/storage/faulty_env.h"

namespace cairn {
namespace {

class DatabaseTest : public ::testing::Test {
 protected:
  void open(Database::Access access = Database::Access::write) {
    database_.reset();
    Database::Options options;
    options.directory = directory_.path();
    options.access = access;
    options.env = env_.get();
    options.log_file_bytes = std::uint64_t{1} << 20;
    auto opened = Database::open(options, log_);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    database_ = std::move(opened).value();
  }
  Result<void> write() {
    rocksdb::WriteBatch batch;
    batch.Put(database_->meta(), "key", "value");
    return database_->write(batch, true);
  }
  /// What RocksDB says on its own threads.
  rocksdb::EventListener& listener() { return *database_->db().GetDBOptions().listeners.front(); }
  void say_error() {
    rocksdb::Status error = rocksdb::Status::NoSpace();
    listener().OnBackgroundError(rocksdb::BackgroundErrorReason::kWriteCallback, &error);
  }

  TemporaryDirectory directory_;
  RecordingLog log_;
  std::atomic<LogFault> fault_{LogFault::none};
  std::unique_ptr<rocksdb::Env> env_ =
      rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(fault_));
  std::unique_ptr<Database> database_;
};

TEST_F(DatabaseTest, ErrorOfAnotherThreadStopsUntilResumed) {
  open();
  say_error();
  EXPECT_TRUE(database_->stopped());
  EXPECT_TRUE(database_->out_of_space());
  EXPECT_EQ(write().error().code, Errc::full);
  EXPECT_TRUE(database_->try_resume());
  EXPECT_FALSE(database_->stopped());
  EXPECT_FALSE(database_->out_of_space());
  EXPECT_TRUE(write().has_value());
  EXPECT_EQ(log_.count("storage_write_stopped"), 1U);
  EXPECT_EQ(log_.count("storage_write_resumed"), 1U);
}

TEST_F(DatabaseTest, ResumedOverAndOverWhileTheDiskIsStillFullItGoesOnInTheEnd) {
  open();
  ASSERT_TRUE(write().has_value());
  fault_ = LogFault::no_space;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(write().has_error()) << i;
    EXPECT_TRUE(database_->stopped());
    database_->try_resume();
  }
  fault_ = LogFault::none;
  const SystemClock clock;
  const MonoTime end = clock.in(std::chrono::seconds(30));
  while (database_->stopped() && !database_->try_resume() && clock.mono() < end) {
    std::this_thread::yield();
  }
  ASSERT_TRUE(write().has_value());
}

TEST_F(DatabaseTest, LogThatDoesNotSyncStaysStopped) {
  open();
  ASSERT_TRUE(write().has_value());
  fault_ = LogFault::sync_error;
  ASSERT_TRUE(write().has_error());
  EXPECT_FALSE(database_->try_resume());
  EXPECT_EQ(write().error().code, Errc::unavailable);
}

TEST_F(DatabaseTest, ReadOnlyOpenMakesNoFiles) {
  open();
  ASSERT_TRUE(write().has_value());
  database_.reset();
  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  std::filesystem::last_write_time(directory_.path(), long_ago);
  const auto before = std::filesystem::last_write_time(directory_.path());
  open(Database::Access::read_only);
  EXPECT_EQ(std::filesystem::last_write_time(directory_.path()), before);
}

}  // namespace
}  // namespace cairn
