// A held file is answered without an allocation: the allocator is counted around it.
#include <cstdlib>
#include <new>

#include "tests/node/static/site_harness.h"

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

namespace cairn::site {
namespace {

class HotFile : public SiteTest {
 protected:
  std::size_t allocations_of(std::vector<http::Field> fields, int status) {
    http::Request request;
    request.target = request.path = "/assets/app-1a2b3c4d.js";
    request.fields = fields;
    request.received = clock_.mono();
    http::Response response;
    std::size_t count = 0;
    for (int round = 0; round < 2; ++round) {
      response.clear();
      allocations = 0;
      counting = true;
      const bool answered = site_->try_handle(request, response);
      counting = false;
      EXPECT_TRUE(answered);
      EXPECT_EQ(response.status, status);
      count = allocations;
    }
    return count;
  }
};

TEST_F(HotFile, AllocatesNothing) {
  write("assets/app-1a2b3c4d.js", "hot");
  write("assets/app-1a2b3c4d.js.br", "br");
  const std::string tag = get("/assets/app-1a2b3c4d.js").field("ETag");
  EXPECT_EQ(allocations_of({{"Accept-Encoding", "gzip, br"}, {"Accept", "*/*"}}, 200), 0U);
  EXPECT_EQ(allocations_of({{"If-None-Match", tag}}, 304), 0U);
}

}  // namespace
}  // namespace cairn::site
