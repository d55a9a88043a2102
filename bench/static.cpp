// What a held file costs in the handler, and what the check of one costs the pool twice a second.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "node/static/static_site.h"

namespace cairn {
namespace {

/// A folder with one file of 4 KiB, removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "cairn-bench-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    std::ofstream(path_ / "app.js") << std::string(4096, 'x');
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string root() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

site::SiteFilesOptions files_options(const Folder& folder) {
  return {.root = folder.root(),
          .index = {"index.html"},
          .common_fields = "X-Content-Type-Options: nosniff\r\n",
          .cache_control = {},
          .content_hash = {},
          .largest_held_bytes = std::size_t{2} << 20};
}

void try_handle_held_file(benchmark::State& state) {
  const Folder folder;
  const SystemClock clock;
  site::FileCache cache(std::size_t{64} << 20);
  BlockingPool pool("bench", 1, 10, clock);
  ByteBudget buffers(std::size_t{1} << 20);
  site::StaticSite site(cache, pool, buffers, clock,
                        {.root = folder.root(), .headers = {}, .content_hash = {}});
  const site::SiteFiles files(files_options(folder));
  auto found = files.look_up("/app.js", nullptr, clock);
  cache.put(0, "/app.js", found.value().page);
  const std::vector<http::Field> fields{{"Host", "127.0.0.1:8080"}, {"Accept", "*/*"}};
  http::Request request;
  request.target = request.path = "/app.js";
  request.fields = fields;
  request.received = clock.mono();
  http::Response response;
  for (auto _ : state) {
    response.clear();
    benchmark::DoNotOptimize(site.try_handle(request, response));
    benchmark::ClobberMemory();
  }
  if (response.status != 200 || response.pieces.empty()) state.SkipWithError("not answered");
}

void check_unchanged_file(benchmark::State& state) {
  const Folder folder;
  const SystemClock clock;
  const site::SiteFiles files(files_options(folder));
  // Past the time in which a change might not show in the file's stamps.
  class Later final : public Clock {
   public:
    MonoTime mono() const override { return MonoTime(); }
    WallTime wall() const override { return WallTime{4'000'000'000'000}; }
  } later;
  const site::PagePtr page = files.look_up("/app.js", nullptr, later).value().page;
  for (auto _ : state) {
    const auto found = files.look_up("/app.js", page, later);
    if (found.value().kind != site::LookUp::Kind::unchanged) state.SkipWithError("read again");
  }
}

void read_cold_file(benchmark::State& state) {
  const Folder folder;
  const SystemClock clock;
  const site::SiteFiles files(files_options(folder));
  for (auto _ : state) {
    benchmark::DoNotOptimize(files.look_up("/app.js", nullptr, clock).value().page.get());
  }
}

BENCHMARK(try_handle_held_file);
BENCHMARK(check_unchanged_file);
BENCHMARK(read_cold_file);

}  // namespace
}  // namespace cairn

BENCHMARK_MAIN();
