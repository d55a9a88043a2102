// StaticSite: the handler of a site's files. Shared by all cores; immutable but for the cache
// behind it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/blocking_pool.h"
#include "base/budget.h"
#include "node/http/handler.h"
#include "node/http/problem.h"
#include "node/static/file_cache.h"
#include "node/static/site_files.h"

namespace cairn::site {

struct StaticSiteOptions {
  std::string root;
  std::vector<std::string> index{"index.html"};
  /// Paths whose last segment has no extension, and that name no file, are answered with the root's
  /// index where the client takes HTML.
  bool spa = false;
  /// "Name: value": in place of the default field of that name, or besides the defaults; "Name:"
  /// drops a default. Cache-Control replaces the rule by name.
  std::vector<std::string> headers;
  /// For the tags of files that are held in memory; without one, tags are made of what the file
  /// system says (inode, size, times), and differ between nodes.
  ContentHash content_hash;
  /// For each call that waits for the pool.
  std::chrono::milliseconds deadline{10'000};
};

class StaticSite final : public http::Handler {
 public:
  /// All of it outlives the site; `buffers` bounds what large files that are being sent take.
  /// Throws std::runtime_error (no root, kernel too old) or std::invalid_argument (headers).
  StaticSite(FileCache& cache, BlockingPool& pool, ByteBudget& buffers, const Clock& clock,
             StaticSiteOptions options);

  /// Answers a file that is held and was checked within the last second, without allocating.
  bool try_handle(const http::Request& request, http::Response& response) override;
  Task<void> handle(const http::Request& request, http::BodyReader& body,
                    http::Response& response) override;

 private:
  Task<Result<LookUp>> find(std::string path, MonoTime now);
  Task<void> answer_path(const http::Request& request, std::string path, http::Response& response);
  Task<void> answer_found(const http::Request& request, const Result<LookUp>& found,
                          http::Response& response);
  Task<void> answer_missing(const http::Request& request, http::Response& response);
  void answer_page(const http::Request& request, const PagePtr& page,
                   http::Response& response) const;
  void answer_large(const http::Request& request, const Variant& variant,
                    http::Response& response) const;
  void redirect(const http::Request& request, http::Response& response) const;
  void refuse(const http::Problem& problem, http::Response& response) const;

  FileCache& cache_;
  BlockingPool& pool_;
  ByteBudget& buffers_;
  const Clock& clock_;
  const std::uint32_t site_;
  const bool spa_;
  const std::chrono::milliseconds deadline_;
  std::string common_fields_;
  std::shared_ptr<const SiteFiles> files_;  ///< Shared with calls on the pool.
};

}  // namespace cairn::site
