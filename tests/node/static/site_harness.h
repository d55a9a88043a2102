// A StaticSite over a real folder, called as a transport would.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/static/static_site.h"

namespace cairn::site {

/// A folder of its own, removed at the end.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Set by hand. Its wall clock stands far ahead of the files' times, so that none of them counts as
/// changed a moment ago, until a test wants it.
class HandClock final : public Clock {
 public:
  MonoTime mono() const override { return MonoTime(std::chrono::nanoseconds(now_ns.load())); }
  WallTime wall() const override { return WallTime{wall_ms.load()}; }
  std::atomic<std::int64_t> now_ns{3'600'000'000'000};
  std::atomic<std::int64_t> wall_ms{4'000'000'000'000};
};

struct Answer {
  std::uint16_t status = 0;
  http::FieldList fields;
  std::string body;
  std::optional<std::uint64_t> head_length;
  bool at_once = false;
  bool streamed = false;
  bool aborted = false;  ///< The body's source failed.

  std::string field(std::string_view name) const { return std::string(fields.find(name)); }
};

using FieldPairs = std::vector<std::pair<std::string, std::string>>;

class SiteTest : public ::testing::Test {
 protected:
  SiteTest();
  ~SiteTest() override;

  void write(const std::string& name, std::string_view content);
  /// Writes beside and renames over, as deployments do.
  void replace(const std::string& name, std::string_view content);
  void link(const std::string& name, const std::string& target);
  std::string read_outside(const std::string& name);

  /// The site over root(); made at the first call, anew by use().
  void use(StaticSiteOptions options);
  StaticSiteOptions options() const;
  Answer call(http::Method method, std::string target, FieldPairs fields = {});
  Answer get(std::string target, FieldPairs fields = {});
  /// Later than any answer may be given unchecked.
  void pass_time(std::chrono::milliseconds by = std::chrono::milliseconds(1001));

  std::filesystem::path root() const { return folder_.path() / "root"; }
  std::filesystem::path outside() const { return folder_.path() / "outside"; }

  static constexpr std::string_view kSecret = "outside-the-root-secret";
  static constexpr std::size_t kCacheBytes = std::size_t{1} << 20;

  ScratchFolder folder_;
  HandClock clock_;
  IoContext io_;
  FileCache cache_{kCacheBytes};
  ByteBudget buffers_{std::size_t{4} << 20};
  std::unique_ptr<BlockingPool> pool_ =
      std::make_unique<BlockingPool>("static-test", 2, 1000, clock_);
  std::unique_ptr<StaticSite> site_;
};

}  // namespace cairn::site
