#include "tests/node/static/site_harness.h"

#include <cstdlib>
#include <fstream>

#include "tests/fakes/run_task.h"

namespace cairn::site {
namespace {

class NoBody final : public http::BodyReader {
 public:
  std::optional<std::uint64_t> length() const override { return 0; }
  Task<Result<std::size_t>> read(MutableByteView) override { co_return std::size_t{0}; }
};

Task<bool> answer(StaticSite& site, const http::Request& request, http::Response& response) {
  NoBody body;
  co_await site.handle(request, body, response);
  co_return true;
}

/// False when the source failed, or yielded another length than it had said.
Task<bool> collect(http::BodySource& source, std::string& out) {
  while (true) {
    const Result<ByteView> part = co_await source.next();
    if (!part) co_return false;
    if (part.value().empty()) co_return !source.length() || *source.length() == out.size();
    out.append(as_text(part.value()));
  }
}

}  // namespace

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "cairn-static-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

SiteTest::SiteTest() {
  std::filesystem::create_directory(root());
  std::filesystem::create_directory(outside());
  std::ofstream(outside() / "secret.txt") << kSecret;
  std::ofstream(outside() / "index.html") << kSecret;
}

SiteTest::~SiteTest() {
  // A call's closure goes on the pool's thread, after its answer came: only then all is given back.
  site_.reset();
  pool_.reset();
  EXPECT_EQ(buffers_.used_bytes(), 0U);
  EXPECT_LE(cache_.used_bytes(), cache_.limit_bytes());
}

void SiteTest::write(const std::string& name, std::string_view content) {
  std::filesystem::create_directories((root() / name).parent_path());
  std::ofstream out(root() / name, std::ios::binary);
  out << content;
  ASSERT_TRUE(out.flush());
}

void SiteTest::replace(const std::string& name, std::string_view content) {
  write(name + ".new~", content);
  std::filesystem::rename(root() / (name + ".new~"), root() / name);
}

void SiteTest::link(const std::string& name, const std::string& target) {
  std::filesystem::create_symlink(target, root() / name);
}

StaticSiteOptions SiteTest::options() const {
  StaticSiteOptions options;
  options.root = root().string();
  return options;
}

void SiteTest::use(StaticSiteOptions options) {
  site_ = std::make_unique<StaticSite>(cache_, *pool_, buffers_, clock_, std::move(options));
}

Answer SiteTest::call(http::Method method, std::string target, FieldPairs pairs) {
  if (!site_) use(options());
  std::vector<http::Field> fields;
  for (const auto& [name, value] : pairs) fields.push_back({name, value});
  http::Request request;
  request.method = method;
  request.target = target;
  request.path = request.target.substr(0, request.target.find('?'));
  if (request.path.size() < request.target.size()) {
    request.query = request.target.substr(request.path.size() + 1);
  }
  request.host = request.authority = "site.test";
  request.fields = fields;
  request.received = clock_.mono();

  Answer out;
  http::Response response;
  out.at_once = site_->try_handle(request, response);
  if (!out.at_once) run_task(io_, answer(*site_, request, response));
  out.status = response.status;
  out.fields = response.fields;
  out.head_length = response.head_length;
  for (const http::Piece& piece : response.pieces) out.body += as_text(piece.bytes());
  if (response.source) {
    EXPECT_FALSE(out.at_once) << "a transport takes no source from try_handle";
    out.streamed = true;
    out.aborted = !run_task(io_, collect(*response.source, out.body));
  }
  EXPECT_EQ(response.answered_by, "static");
  if (out.field("Content-Type") == "application/problem+json") {
    EXPECT_NE(out.body.find(",\"hint\":\""), std::string::npos) << out.body;
  }
  EXPECT_EQ(out.body.find(kSecret), std::string::npos) << target;
  return out;
}

Answer SiteTest::get(std::string target, FieldPairs fields) {
  return call(http::Method::get, std::move(target), std::move(fields));
}

void SiteTest::pass_time(std::chrono::milliseconds by) {
  clock_.now_ns += std::chrono::nanoseconds(by).count();
}

}  // namespace cairn::site
