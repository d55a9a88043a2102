// Capability strings leave no copy of their secret in memory that was given back: every block that
// is freed in this binary while a test watches is searched first.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "crypto/capability.h"
#include "crypto/random.h"

namespace cairn {
namespace {

thread_local std::string_view watched;
thread_local int found = 0;

void give_back(void* memory) noexcept {
  if (memory == nullptr) return;
  const std::string_view held(static_cast<const char*>(memory), ::malloc_usable_size(memory));
  if (!watched.empty() && held.find(watched) != std::string_view::npos) ++found;
  std::free(memory);
}

/// How many freed blocks held `text` while `call` ran.
template <class Call>
int freed_with(std::string_view text, Call call) {
  found = 0;
  watched = text;
  call();
  watched = {};
  return found;
}

class CapabilityWipeTest : public ::testing::Test {
 protected:
  SystemRandom random_;
  const WriteCapability capability_{ChainId{}, WriteSecret::random(random_)};
  // From the middle of the secret, aligned to whole digits: 33 + 12 bytes in.
  std::string text_ = capability_text(capability_);
  std::string digits_ = text_.substr(8 + 60, 16);
  std::string bytes_{as_text(capability_.secret.view()).substr(12, 12)};
};

TEST_F(CapabilityWipeTest, SearchFindsWhatIsLeft) {
  EXPECT_EQ(freed_with(digits_, [this] { const std::string copy = text_; }), 1);
}

TEST_F(CapabilityWipeTest, MakingTheTextLeavesNothing) {
  std::string text;
  EXPECT_EQ(freed_with(digits_, [&] { text = capability_text(capability_); }), 0);
  EXPECT_EQ(freed_with(bytes_, [&] { text = capability_text(capability_); }), 0);
  EXPECT_EQ(text, text_);
}

TEST_F(CapabilityWipeTest, ReadingTheTextLeavesNothing) {
  EXPECT_EQ(freed_with(bytes_, [this] { EXPECT_TRUE(parse_capability(text_)); }), 0);
  text_.back() = '!';
  EXPECT_EQ(freed_with(bytes_, [this] { EXPECT_FALSE(parse_capability(text_)); }), 0);
}

}  // namespace
}  // namespace cairn

// Every form of new ends in the first of these, every form of delete in one of the others.
void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  cairn::give_back(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  cairn::give_back(memory);
}
