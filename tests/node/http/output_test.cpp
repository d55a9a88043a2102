// What an output keeps in memory while its client takes nothing.
#include "node/http/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cairn::http {
namespace {

constexpr std::size_t kLarge = std::size_t{8} << 20;  // More than a socket's buffers take.

class OutputTest : public ::testing::Test {
 protected:
  OutputTest() {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends_), 0);
  }
  ~OutputTest() override {
    for (const int end : ends_) ::close(end);
  }

  Output::Flush flush(Output& output) {
    std::uint64_t sent = 0;
    return output.flush(ends_[0], sent);
  }
  void take_everything(Output& output) {
    Bytes scratch(1 << 20);
    while (flush(output) == Output::Flush::blocked) {
      ASSERT_GT(::recv(ends_[1], scratch.data(), scratch.size(), 0), 0);
    }
  }

  const std::shared_ptr<const std::string> page_ = std::make_shared<const std::string>(kLarge, 'p');
  ByteBudget budget_{2 * kLarge};
  AnswerMemory memory_{budget_};
  int ends_[2] = {-1, -1};
};

TEST_F(OutputTest, KeptCountsOwnersAndNotOnlyTheirPart) {
  Output output;
  output.append("head");
  output.append(Piece::shared(page_, as_bytes(*page_).first(20'000), kLarge));
  EXPECT_EQ(output.pending_bytes(), 20'004U);
  EXPECT_EQ(output.kept_bytes(), kLarge + 4);
}

TEST_F(OutputTest, WhatIsBorrowedKeepsNothing) {
  Output output;
  output.append(Piece::borrowed(as_bytes(*page_)));
  EXPECT_EQ(output.kept_bytes(), 0U);
}

TEST_F(OutputTest, BlockedAnswersOfOneOwnerCountItOnce) {
  Output first;
  Output second;
  for (Output* output : {&first, &second}) {
    output->append("head");
    output->append(Piece::shared(page_, as_bytes(*page_), kLarge));
    ASSERT_EQ(flush(*output), Output::Flush::blocked);
    ASSERT_TRUE(output->hold(memory_, 100));
  }
  EXPECT_EQ(budget_.used_bytes(), kLarge + 2 * (4 + 100));
  first.release();
  EXPECT_EQ(budget_.used_bytes(), kLarge + 4 + 100);
  second.clear();
  EXPECT_EQ(budget_.used_bytes(), 0U);
}

TEST_F(OutputTest, SentAnswerIsAccountedForNoMore) {
  Output output;
  output.append(Piece::shared(page_, as_bytes(*page_), kLarge));
  ASSERT_EQ(flush(output), Output::Flush::blocked);
  ASSERT_TRUE(output.hold(memory_, 0));
  take_everything(output);
  EXPECT_TRUE(output.empty());
  EXPECT_EQ(budget_.used_bytes(), 0U);
}

TEST_F(OutputTest, RefusedHoldHoldsNothing) {
  Output output;
  output.append("head");
  output.append(Piece::shared(page_, as_bytes(*page_), kLarge));
  EXPECT_FALSE(output.hold(memory_, kLarge));
  EXPECT_EQ(budget_.used_bytes(), 0U);
  EXPECT_TRUE(output.hold(memory_, 0));
}

}  // namespace
}  // namespace cairn::http
