// The hot path allocates nothing: the allocator is counted around it.
#include <cstdlib>
#include <new>

#include "tests/node/api/api_harness.h"

namespace {

thread_local bool counting = false;
thread_local std::size_t allocations = 0;

void* counted(std::size_t size) {
  if (counting) ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(size);
}
void* operator new[](std::size_t size) {
  return counted(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace cairn::api {
namespace {

class HotPath : public ApiTest {
 protected:
  /// Allocations of one try_handle of `call`, after a first one has warmed the capacities up.
  std::size_t allocations_of(const Call& call, int status) {
    std::size_t count = 0;
    with_request(call, [&](const http::Request& request) {
      http::Response response;
      for (int round = 0; round < 2; ++round) {
        response.clear();
        allocations = 0;
        counting = true;
        const bool answered = api_->try_handle(request, response);
        counting = false;
        EXPECT_TRUE(answered);
        EXPECT_EQ(response.status, status);
        count = allocations;
      }
    });
    return count;
  }
};

TEST_F(HotPath, CounterSeesAnAllocation) {
  allocations = 0;
  counting = true;
  auto big = std::make_unique<std::string>(100, 'x');
  counting = false;
  EXPECT_EQ(allocations, 2U);
}

TEST_F(HotPath, HeldBlockAllocatesNothing) {
  const std::string target = "/v1/blocks/" + hold("hot").text();
  EXPECT_EQ(
      allocations_of({.target = target, .fields = {{"Accept", "*/*"}, {"User-Agent", "wrk"}}}, 200),
      0U);
  EXPECT_EQ(allocations_of({.method = http::Method::head, .target = target}, 200), 0U);
}

TEST_F(HotPath, ConditionAllocatesNothing) {
  const BlockId id = hold("hot");
  EXPECT_EQ(allocations_of({.target = "/v1/blocks/" + id.text(),
                            .fields = {{"If-None-Match", "\"" + id.text() + "\""}}},
                           304),
            0U);
}

TEST_F(HotPath, CorsAllocatesNothing) {
  ApiOptions shared = options();
  shared.cors_origins = {"https://app.test"};
  use(shared);
  EXPECT_EQ(allocations_of({.target = "/v1/blocks/" + hold("hot").text(),
                            .fields = {{"Origin", "https://app.test"}}},
                           200),
            0U);
}

}  // namespace
}  // namespace cairn::api
