// Files that are streamed, and the memory that holds the others.
#include <unistd.h>

#include "node/static/file_source.h"
#include "tests/fakes/run_task.h"
#include "tests/node/static/site_harness.h"

namespace cairn::site {
namespace {

class LargeFile : public SiteTest {
 protected:
  LargeFile() {
    content_.resize(700'001);
    for (std::size_t i = 0; i < content_.size(); ++i) {
      content_[i] = static_cast<char>(i * 7 + i / 251);
    }
    write("big.bin", content_);
  }

  static Task<Result<std::string>> next(FileSource& source) {
    const Result<ByteView> part = co_await source.next();
    if (!part) co_return part.error();
    co_return std::string(as_text(part.value()));
  }
  std::unique_ptr<FileSource> source() {
    const auto folder = Directory::open(root().string());
    const auto file = folder.value().open_file("big.bin");
    return std::make_unique<FileSource>(file.value(), 0, content_.size(), *pool_, clock_,
                                        std::chrono::seconds(10), FileSource::kPieceBytes,
                                        buffers_.take(FileSource::kPieceBytes));
  }

  std::string content_;
};

TEST_F(LargeFile, WholeIsStreamed) {
  for (int i = 0; i < 2; ++i) {
    const Answer answer = get("/big.bin");
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.streamed);
    EXPECT_FALSE(answer.aborted);
    EXPECT_TRUE(answer.body == content_);
  }
  EXPECT_EQ(call(http::Method::head, "/big.bin").head_length, content_.size());
}

TEST_F(LargeFile, RangesAreStreamed) {
  const std::size_t size = content_.size();
  for (const auto& [first, last] : {std::pair<std::size_t, std::size_t>{0, 0},
                                    {255'000, 600'000},
                                    {size - 1, size - 1},
                                    {1, size - 1},
                                    {0, size - 1}}) {
    const Answer answer =
        get("/big.bin", {{"Range", "bytes=" + std::to_string(first) + "-" + std::to_string(last)}});
    EXPECT_EQ(answer.status, 206);
    EXPECT_TRUE(answer.body == content_.substr(first, last - first + 1));
    EXPECT_EQ(answer.field("Content-Range"), "bytes " + std::to_string(first) + "-" +
                                                 std::to_string(last) + "/" + std::to_string(size));
  }
  EXPECT_EQ(get("/big.bin", {{"Range", "bytes=700001-"}}).status, 416);
  EXPECT_EQ(get("/big.bin", {{"Range", "bytes=700001-"}}).field("Content-Range"), "bytes */700001");
  EXPECT_EQ(get("/big.bin", {{"Range", "bytes=0-1,5-6"}}).status, 200);
}

TEST_F(LargeFile, ConditionsNeedNoReading) {
  const std::string tag = get("/big.bin").field("ETag");
  const Answer answer = get("/big.bin", {{"If-None-Match", tag}});
  EXPECT_EQ(answer.status, 304);
  EXPECT_FALSE(answer.streamed);
}

TEST_F(LargeFile, ReplacedWhileSentIsStillTheOldOne) {
  const auto source = this->source();
  std::string body = run_task(io_, next(*source)).value();
  replace("big.bin", std::string(900'000, 'x'));
  while (body.size() < content_.size()) body += run_task(io_, next(*source)).value();
  EXPECT_TRUE(body == content_);
}

TEST_F(LargeFile, CutWhileSentAborts) {
  const auto source = this->source();
  ASSERT_TRUE(run_task(io_, next(*source)).has_value());
  std::filesystem::resize_file(root() / "big.bin", 300'000);
  const auto part = run_task(io_, next(*source));
  ASSERT_FALSE(part.has_value());
  EXPECT_EQ(part.error().code, Errc::unavailable);
}

TEST_F(LargeFile, CutToWhatWasSentAborts) {
  const auto source = this->source();
  const std::size_t sent = run_task(io_, next(*source)).value().size();
  std::filesystem::resize_file(root() / "big.bin", sent);
  EXPECT_FALSE(run_task(io_, next(*source)).has_value());
}

TEST_F(LargeFile, RewrittenInPlaceWhileSentAborts) {
  const auto source = this->source();
  ASSERT_TRUE(run_task(io_, next(*source)).has_value());
  write("big.bin", std::string(content_.size(), 'x'));
  EXPECT_FALSE(run_task(io_, next(*source)).has_value());
}

TEST_F(LargeFile, RewrittenInPlaceAndLargerWhileSentAborts) {
  const auto source = this->source();
  ASSERT_TRUE(run_task(io_, next(*source)).has_value());
  write("big.bin", std::string(content_.size() + 4, 'x'));
  EXPECT_FALSE(run_task(io_, next(*source)).has_value());
}

TEST_F(LargeFile, GrowingWhileSentAborts) {
  const auto source = this->source();
  ASSERT_TRUE(run_task(io_, next(*source)).has_value());
  write("big.bin", content_ + "more");
  EXPECT_FALSE(run_task(io_, next(*source)).has_value());
}

TEST_F(LargeFile, ChangeIsSeenByTheNextRequest) {
  ASSERT_TRUE(get("/big.bin").body == content_);
  write("big.bin", content_ + "more");
  const Answer answer = get("/big.bin");
  EXPECT_FALSE(answer.aborted);
  EXPECT_TRUE(answer.body == content_ + "more");
}

TEST_F(LargeFile, ScarceMemoryGivesSmallPiecesOfTheSameBytes) {
  const std::size_t left = 2 * FileSource::kSmallPieceBytes;
  const ByteBudget::Share rest = buffers_.take(buffers_.limit_bytes() - left);
  const Answer answer = get("/big.bin");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body == content_);
  EXPECT_TRUE(get("/big.bin", {{"Range", "bytes=5-20000"}}).body == content_.substr(5, 19'996));
}

TEST_F(LargeFile, NoRoomForABufferGives503) {
  const ByteBudget::Share rest = buffers_.take(buffers_.limit_bytes());
  const Answer answer = get("/big.bin");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.field("Retry-After"), "1");
}

using HeldFiles = SiteTest;

TEST_F(HeldFiles, MemoryStaysWithinTheBudget) {
  for (int i = 0; i < 100; ++i) write("f" + std::to_string(i), std::string(60'000, 'x'));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(get("/f" + std::to_string(i)).status, 200);
    EXPECT_LE(cache_.used_bytes(), kCacheBytes);
  }
  EXPECT_GT(cache_.used_bytes(), kCacheBytes / 2);
  EXPECT_TRUE(get("/f99").at_once);
  int held = 0;
  for (int i = 0; i < 100; ++i) held += get("/f" + std::to_string(i)).at_once ? 1 : 0;
  EXPECT_LE(held, 17);
}

TEST_F(HeldFiles, WhatIsAskedForStaysHeld) {
  write("hot", std::string(60'000, 'h'));
  get("/hot");
  for (int i = 0; i < 60; ++i) {
    const std::string cold = "cold" + std::to_string(i);
    write(cold, std::string(60'000, 'c'));
    get("/" + cold);
    EXPECT_TRUE(get("/hot").at_once) << i;
  }
}

PagePtr page_of(std::size_t cost) {
  auto page = std::make_shared<Page>();
  page->cost_bytes = cost;
  return page;
}

TEST(FileCache, LeastRecentlyUsedGoesFirst) {
  FileCache cache(1000);
  for (int i = 0; i < 100; ++i) {
    cache.put(0, "/" + std::to_string(i), page_of(200));
    EXPECT_NE(cache.find(0, "/0"), nullptr) << i;
  }
  EXPECT_EQ(cache.used_bytes(), 1000U);
  for (int i = 1; i < 100; ++i) {
    EXPECT_EQ(cache.find(0, "/" + std::to_string(i)) != nullptr, i >= 96) << i;
  }
}

TEST(FileCache, ReplacedAndDroppedPagesGiveTheirBytesBack) {
  FileCache cache(1000);
  cache.put(0, "/a", page_of(100));
  cache.put(0, "/a", page_of(150));
  EXPECT_EQ(cache.used_bytes(), 150U);
  cache.put(0, "/a", page_of(251));
  EXPECT_EQ(cache.find(0, "/a"), nullptr) << "over a quarter of the budget";
  EXPECT_EQ(cache.used_bytes(), 0U);
}

TEST(FileCache, SitesAreApart) {
  FileCache cache(1000);
  cache.put(cache.add_site(), "/a", page_of(1));
  EXPECT_NE(cache.find(0, "/a"), nullptr);
  EXPECT_EQ(cache.find(cache.add_site(), "/a"), nullptr);
}

TEST(FileCache, NoBudgetHoldsNothing) {
  FileCache cache(0);
  cache.put(0, "/a", page_of(1));
  EXPECT_EQ(cache.find(0, "/a"), nullptr);
  EXPECT_EQ(cache.largest_held_bytes(), 0U);
}

}  // namespace
}  // namespace cairn::site
