// Whom a store lets in, and what opening leaves behind.
#include <unistd.h>

#include "storage/database.h"
#include "storage/open_store.h"
#include "tests/storage/file_faults.h"
#include "tests/storage/storage_fixture.h"

namespace cairn {
namespace {

class OpenTest : public StorageFixture {};

TEST_F(OpenTest, IdentityIsKeptAcrossReopening) {
  open();
  const StoreIdentity first = storage_->identity();
  EXPECT_NE(first.store_id, StoreIdentity::StoreId{});
  reopen();
  EXPECT_EQ(storage_->identity().store_id, first.store_id);
  EXPECT_EQ(storage_->identity().placement_seed, first.placement_seed);
}

TEST_F(OpenTest, OtherNodesStoreIsRefused) {
  open();
  close();
  options_.node_name = "other";
  const auto opened = try_open();
  ASSERT_TRUE(opened.has_error());
  EXPECT_EQ(opened.error().code, Errc::denied);
  EXPECT_NE(opened.error().detail.find("'test'"), std::string::npos);
}

TEST_F(OpenTest, OtherPlacementSeedIsRefused) {
  options_.placement_seed = 1;
  open();
  close();
  options_.placement_seed = 2;
  EXPECT_EQ(try_open().error().code, Errc::denied);
  options_.placement_seed = 1;
  open();
}

TEST_F(OpenTest, NewerFormatIsRefusedWithWords) {
  open();
  const Block block = make_test_block(1, 100);
  ASSERT_TRUE(put(block).has_value());
  const std::string text = storage_->identity().text();
  close();
  std::string newer = text;
  newer.replace(newer.find("format = 1"), 10, "format = 2");
  ASSERT_TRUE(replace_file(directory_.path() / "STORE", newer).has_value());
  const auto opened = try_open();
  ASSERT_TRUE(opened.has_error());
  EXPECT_EQ(opened.error().code, Errc::denied);
  EXPECT_NE(opened.error().detail.find("format 2"), std::string::npos);
  ASSERT_TRUE(replace_file(directory_.path() / "STORE", text).has_value());
  open();
  expect_held(block);
}

TEST_F(OpenTest, StoreInUseIsRefusedAndNamesTheProcess) {
  open();
  const auto second = Storage::open(options_, clock_, random_, log_);
  ASSERT_TRUE(second.has_error());
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_NE(second.error().detail.find(std::to_string(::getpid())), std::string::npos);
}

TEST_F(OpenTest, HalfAStoreIsNotFilledUp) {
  open();
  ASSERT_TRUE(put(make_test_block(1, 100'000)).has_value());
  close();
  const auto identity = directory_.path() / "STORE";
  std::filesystem::rename(identity, directory_.path() / "aside");
  EXPECT_EQ(try_open().error().code, Errc::malformed);
  EXPECT_FALSE(std::filesystem::exists(identity));
  std::filesystem::rename(directory_.path() / "aside", identity);
  std::filesystem::rename(directory_.path() / "index", directory_.path() / "index-aside");
  EXPECT_EQ(try_open().error().code, Errc::malformed);
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "index" / "CURRENT"));
  std::filesystem::remove_all(directory_.path() / "index");
  std::filesystem::rename(directory_.path() / "index-aside", directory_.path() / "index");
  open();
  expect_held(make_test_block(1, 100'000));
}

TEST_F(OpenTest, StoreOfSmallBlocksThatLostItsIndexIsNotFilledUp) {
  open();
  ASSERT_TRUE(put(make_test_block(1, 100)).has_value());
  close();
  ASSERT_TRUE(segment_files().empty());
  std::filesystem::remove_all(directory_.path() / "index");
  EXPECT_EQ(try_open().error().code, Errc::malformed);
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "index"));
}

TEST_F(OpenTest, DirectoriesAreDurableBeforeTheStoreIsUsed) {
  options_.directory = directory_.path() / "above" / "store";
  const auto& root = options_.directory;
  std::vector<std::string> synced;
  FileFaults faults;
  faults.on_sync = [&](const std::string& path) {
    // With what it holds just then.
    if (path == root && std::filesystem::exists(root / "index/CURRENT")) synced.push_back("index");
    if (path == root && std::filesystem::exists(root / "values")) synced.push_back("values");
    if (path == root && !std::filesystem::exists(root / "values") &&
        std::filesystem::exists(root / "index")) {
      synced.push_back("index without values");
    }
    if (path == root.parent_path() && std::filesystem::exists(root)) synced.push_back("root");
    if (path == directory_.path()) synced.push_back("above");
    return 0;
  };
  faults.start();
  open();
  for (const char* what : {"above", "root", "index without values", "index", "values"}) {
    EXPECT_NE(std::ranges::find(synced, what), synced.end()) << what;
  }
  EXPECT_LT(std::ranges::find(synced, "index without values"), std::ranges::find(synced, "values"));
}

TEST_F(OpenTest, SegmentOfANewerFormatIsRefused) {
  open();
  const auto store = storage_->identity().store_id;
  const Block block = make_test_block(1, 100'000);
  ASSERT_TRUE(put(block).has_value());
  close();
  const auto segment = segment_files().front();
  overwrite_file(segment, 0, newer_segment_header(0, store));
  const auto opened = try_open();
  ASSERT_TRUE(opened.has_error());
  EXPECT_EQ(opened.error().code, Errc::denied);
  EXPECT_NE(opened.error().detail.find("format 2"), std::string::npos) << opened.error().detail;
  overwrite_file(segment, 0, std::string(as_text(encode_segment_header(0, store))));
  open();
  expect_held(block);
}

TEST_F(OpenTest, ReadOnlyOpeningWritesNothingBesideTheIndex) {
  open();
  ASSERT_TRUE(put(make_test_block(1, 100)).has_value());
  close();
  const auto index = directory_.path() / "index";
  const auto before = std::filesystem::last_write_time(index) - std::chrono::hours(1);
  std::filesystem::last_write_time(index, before);
  ASSERT_TRUE(open_store_read_only(directory_.path(), log_).has_value());
  EXPECT_EQ(std::filesystem::last_write_time(index), before);
}

TEST_F(OpenTest, IndexOfAnotherStoreIsRefused) {
  open();
  close();
  StoreIdentity other;
  other.node_name = "test";
  other.store_id = {42};
  ASSERT_TRUE(replace_file(directory_.path() / "STORE", other.text()).has_value());
  EXPECT_EQ(try_open().error().code, Errc::denied);
}

TEST_F(OpenTest, UnusableDirectoryIsAnErrorNotACrash) {
  options_.directory = "/proc/cairn-cannot-be-made-here";
  EXPECT_TRUE(try_open().has_error());
}

TEST_F(OpenTest, RecyclingOfLogFilesStaysOff) {
  // With it RocksDB 7.8 would have to skip corrupt records at recovery; see docs/decisions/0002.
  NullLog log;
  Database::Options options;
  options.directory = directory_.path();
  const auto database = Database::open(options, log);
  ASSERT_TRUE(database.has_value()) << database.error().detail;
  const auto used = database.value()->db().GetDBOptions();
  EXPECT_EQ(used.recycle_log_file_num, 0U);
  EXPECT_EQ(used.wal_recovery_mode, rocksdb::WALRecoveryMode::kPointInTimeRecovery);
}

}  // namespace
}  // namespace cairn
