// A site's files from the outside: what is served, how it is validated, cached and encoded.
#include <sys/stat.h>

#include <fstream>

#include "node/http/conditional.h"
#include "tests/node/static/site_harness.h"

namespace cairn::site {
namespace {

using http::Method;

class Files : public SiteTest {
 protected:
  Files() {
    write("index.html", "home");
    write("app.js", "script");
    write("docs/index.html", "docs");
    write("assets/app-1a2b3c4d.js", "hashed");
  }
};

TEST_F(Files, IndexOfTheRootAndOfAFolder) {
  for (const char* target : {"/", "/index.html", "/?a=b", "/%69ndex.html"}) {
    const Answer answer = get(target);
    EXPECT_EQ(answer.status, 200) << target;
    EXPECT_EQ(answer.body, "home");
    EXPECT_EQ(answer.field("Content-Type"), "text/html; charset=utf-8");
  }
  EXPECT_EQ(get("/docs/").body, "docs");
}

TEST_F(Files, FolderWithoutSlashRedirectsWithinTheSite) {
  EXPECT_EQ(get("/docs").status, 308);
  EXPECT_EQ(get("/docs").field("Location"), "/docs/");
  EXPECT_EQ(get("/docs?a=b").field("Location"), "/docs/?a=b");
  std::filesystem::create_directory(root() / "empty");
  EXPECT_EQ(get("/empty").status, 404);
  EXPECT_EQ(get("/empty/").status, 404);
}

TEST_F(Files, SecondGetIsAnsweredAtOnceAndTheSame) {
  const Answer first = get("/app.js");
  EXPECT_FALSE(first.at_once);
  const Answer second = get("/app.js");
  EXPECT_TRUE(second.at_once);
  EXPECT_EQ(second.body, "script");
  EXPECT_EQ(second.fields.text(), first.fields.text());
}

TEST_F(Files, HeadTellsTheSameWithoutABody) {
  const Answer full = get("/app.js");
  const Answer head = call(Method::head, "/app.js");
  EXPECT_EQ(head.fields.text(), full.fields.text());
  EXPECT_EQ(head.head_length, 6U);
  EXPECT_EQ(head.body, "");
}

TEST_F(Files, EmptyFileIsAFile) {
  write("empty.txt", "");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(get("/empty.txt").status, 200);
    EXPECT_EQ(get("/empty.txt").body, "");
    EXPECT_EQ(get("/empty.txt", {{"Range", "bytes=0-"}}).status, 416);
  }
}

TEST_F(Files, OtherMethodsAreRefused) {
  for (const Method method : {Method::put, Method::post, Method::patch, Method::delete_}) {
    const Answer answer = call(method, "/app.js");
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.field("Allow"), "GET, HEAD, OPTIONS");
  }
  EXPECT_EQ(call(Method::options, "/app.js").status, 204);
}

TEST_F(Files, HashedNamesAreImmutableAndTheRestIsRevalidated) {
  EXPECT_EQ(get("/assets/app-1a2b3c4d.js").field("Cache-Control"),
            "public, max-age=31536000, immutable");
  for (const char* target : {"/", "/app.js", "/docs/"}) {
    EXPECT_EQ(get(target).field("Cache-Control"), "no-cache");
  }
  StaticSiteOptions fixed = options();
  fixed.headers = {"Cache-Control: no-store"};
  use(fixed);
  EXPECT_EQ(get("/assets/app-1a2b3c4d.js").field("Cache-Control"), "no-store");
}

TEST_F(Files, HashedNameIsNotImmutableWhileItMayBeInTheMaking) {
  struct stat status {};
  ASSERT_EQ(::stat((root() / "assets/app-1a2b3c4d.js").c_str(), &status), 0);
  clock_.wall_ms = (status.st_ctim.tv_sec + 1) * 1000;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(get("/assets/app-1a2b3c4d.js").field("Cache-Control"), "no-cache");
    pass_time();
  }
  clock_.wall_ms = (status.st_ctim.tv_sec + 4) * 1000;
  pass_time();
  get("/assets/app-1a2b3c4d.js");
  EXPECT_EQ(get("/assets/app-1a2b3c4d.js").field("Cache-Control"),
            "public, max-age=31536000, immutable");
}

TEST_F(Files, ConditionsAreHeeded) {
  for (int i = 0; i < 2; ++i) {
    const Answer full = get("/app.js");
    const std::string tag = full.field("ETag");
    for (const std::string& value : {tag, "W/" + tag, std::string("*"), "\"x\", " + tag}) {
      const Answer answer = get("/app.js", {{"if-none-match", value}});
      EXPECT_EQ(answer.status, 304) << value;
      EXPECT_EQ(answer.body, "");
      EXPECT_EQ(answer.field("ETag"), tag);
      EXPECT_EQ(answer.field("Cache-Control"), "no-cache");
    }
    EXPECT_EQ(get("/app.js", {{"If-None-Match", "\"x\""}}).status, 200);
    EXPECT_EQ(get("/app.js", {{"If-Match", "\"x\""}}).status, 412);
    const std::string modified = full.field("Last-Modified");
    EXPECT_EQ(get("/app.js", {{"If-Modified-Since", modified}}).status, 304);
    EXPECT_EQ(get("/app.js", {{"If-Modified-Since", http::http_date(0)}}).status, 200);
    EXPECT_EQ(get("/app.js", {{"If-Unmodified-Since", http::http_date(0)}}).status, 412);
  }
}

TEST_F(Files, RangesOfAHeldFile) {
  for (int i = 0; i < 2; ++i) {
    const Answer part = get("/app.js", {{"Range", "bytes=1-3"}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, "cri");
    EXPECT_EQ(part.field("Content-Range"), "bytes 1-3/6");
    EXPECT_EQ(get("/app.js", {{"Range", "bytes=9-"}}).status, 416);
    EXPECT_EQ(get("/app.js", {{"Range", "bytes=0-0,2-2"}}).status, 206);
    EXPECT_EQ(get("/app.js", {{"Range", "bytes=1-3"}, {"If-Range", "\"x\""}}).body, "script");
  }
}

TEST_F(Files, ChangeIsServedWithinASecondWithItsOwnTag) {
  const Answer before = get("/app.js");
  replace("app.js", "newer!");
  EXPECT_EQ(get("/app.js").body, "script") << "checked a moment ago";
  pass_time();
  const Answer after = get("/app.js");
  EXPECT_EQ(after.body, "newer!");
  EXPECT_NE(after.field("ETag"), before.field("ETag"));
  std::filesystem::remove(root() / "app.js");
  pass_time();
  EXPECT_EQ(get("/app.js").status, 404);
  pass_time();
  EXPECT_EQ(get("/app.js").status, 404);
}

TEST_F(Files, OneRequestChecksWhileOthersAreAnswered) {
  get("/app.js");
  pass_time(std::chrono::milliseconds(600));
  replace("app.js", "newer!");
  const Answer checking = get("/app.js");
  EXPECT_FALSE(checking.at_once);
  EXPECT_EQ(checking.body, "newer!");
  EXPECT_TRUE(get("/app.js").at_once);
}

TEST_F(Files, UnchangedFileIsCheckedButNotReadAgain) {
  const Answer before = get("/app.js");
  const std::size_t used = cache_.used_bytes();
  pass_time();
  const Answer after = get("/app.js");
  EXPECT_FALSE(after.at_once);
  EXPECT_EQ(after.field("ETag"), before.field("ETag"));
  EXPECT_EQ(cache_.used_bytes(), used);
  EXPECT_TRUE(get("/app.js").at_once);
}

TEST_F(Files, ChangeWithinTheFileSystemsTickIsFound) {
  StaticSiteOptions hashed = options();
  hashed.content_hash = [](ByteView bytes) { return to_hex(bytes); };
  use(hashed);
  struct stat before {};
  ASSERT_EQ(::stat((root() / "app.js").c_str(), &before), 0);
  clock_.wall_ms = before.st_ctim.tv_sec * 1000;
  EXPECT_EQ(get("/app.js").body, "script");
  // Rewritten in place, and the time set back: only what changed_ns says differs, and a file system
  // with coarse stamps would not even say that.
  write("app.js", "SCRIPT");
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, (root() / "app.js").c_str(), times, 0), 0);
  pass_time();
  const Answer after = get("/app.js");
  EXPECT_EQ(after.body, "SCRIPT");
  EXPECT_EQ(after.field("ETag"), "\"" + to_hex(as_bytes("SCRIPT")) + "\"");
}

TEST_F(Files, TagOfAContentHashDependsOnContentAlone) {
  StaticSiteOptions hashed = options();
  hashed.content_hash = [](ByteView bytes) { return to_hex(bytes); };
  use(hashed);
  const std::string tag = get("/app.js").field("ETag");
  replace("app.js", "script");
  pass_time();
  EXPECT_EQ(get("/app.js").field("ETag"), tag);
}

TEST_F(Files, NewReleaseInPlaceOfTheRootIsServed) {
  std::filesystem::create_directory(folder_.path() / "release");
  std::ofstream(folder_.path() / "release" / "index.html") << "release";
  EXPECT_EQ(get("/").body, "home");
  std::filesystem::rename(root(), folder_.path() / "old");
  std::filesystem::create_directory_symlink("release", root());
  pass_time();
  EXPECT_EQ(get("/").body, "release");
  EXPECT_EQ(get("/app.js").status, 404);
  std::filesystem::remove(root());
  pass_time();
  EXPECT_EQ(get("/").status, 503) << "a site that is away for a moment is no empty site";
}

TEST_F(Files, SecurityHeadersStandOnEveryAnswer) {
  for (const char* target : {"/", "/nothing", "/docs"}) {
    const Answer answer = get(target);
    EXPECT_EQ(answer.field("X-Content-Type-Options"), "nosniff") << target;
    EXPECT_NE(answer.field("Content-Security-Policy"), "") << target;
  }
  StaticSiteOptions open = options();
  open.headers = {"Content-Security-Policy: default-src *"};
  use(open);
  EXPECT_EQ(get("/").field("Content-Security-Policy"), "default-src *");
}

TEST_F(Files, MissingGetsTheSitesOwnPage) {
  EXPECT_EQ(get("/nothing").body, "There is nothing here.\n");
  write("404.html", "own page");
  pass_time();
  for (int i = 0; i < 2; ++i) {
    const Answer answer = get("/nothing", {{"If-None-Match", "*"}});
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.body, "own page");
    EXPECT_EQ(answer.field("ETag"), "");
    EXPECT_EQ(answer.field("Content-Type"), "text/html; charset=utf-8");
  }
  EXPECT_EQ(get("/%00").body, "own page");
}

TEST_F(Files, NoRootThrows) {
  StaticSiteOptions wrong = options();
  wrong.root = (folder_.path() / "none").string();
  EXPECT_THROW(use(wrong), std::runtime_error);
  wrong.root = (root() / "app.js").string();
  EXPECT_THROW(use(wrong), std::runtime_error);
}

class Siblings : public SiteTest {
 protected:
  Siblings() {
    write("app.js", "plain");
    write("app.js.br", "brotli");
    write("app.js.gz", "gzip");
    write("only.css", "plain css");
    write("only.css.gz", "gzip css");
    write("alone.txt", "alone");
  }
};

TEST_F(Siblings, BestAcceptedIsSent) {
  for (int i = 0; i < 2; ++i) {
    const Answer br = get("/app.js", {{"Accept-Encoding", "gzip, br"}});
    EXPECT_EQ(br.body, "brotli");
    EXPECT_EQ(br.field("Content-Encoding"), "br");
    EXPECT_EQ(br.field("Content-Type"), "text/javascript; charset=utf-8");
    EXPECT_EQ(br.field("Vary"), "Accept-Encoding");
    const Answer gz = get("/app.js", {{"Accept-Encoding", "gzip"}});
    EXPECT_EQ(gz.body, "gzip");
    const Answer plain = get("/app.js");
    EXPECT_EQ(plain.body, "plain");
    EXPECT_EQ(plain.field("Content-Encoding"), "");
    EXPECT_EQ(plain.field("Vary"), "Accept-Encoding");
    EXPECT_EQ((std::set{br.field("ETag"), gz.field("ETag"), plain.field("ETag")}).size(), 3U);
    EXPECT_EQ(
        get("/app.js", {{"Accept-Encoding", "br"}, {"If-None-Match", br.field("ETag")}}).status,
        304);
    EXPECT_EQ(get("/app.js", {{"If-None-Match", br.field("ETag")}}).status, 200);
  }
  EXPECT_EQ(get("/only.css", {{"Accept-Encoding", "br"}}).body, "plain css");
  EXPECT_EQ(get("/only.css", {{"Accept-Encoding", "br, gzip"}}).body, "gzip css");
  EXPECT_EQ(get("/alone.txt", {{"Accept-Encoding", "br"}}).field("Vary"), "");
}

TEST_F(Siblings, RangeIsOfTheEncodingSent) {
  const Answer answer = get("/app.js", {{"Accept-Encoding", "br"}, {"Range", "bytes=0-2"}});
  EXPECT_EQ(answer.body, "bro");
  EXPECT_EQ(answer.field("Content-Range"), "bytes 0-2/6");
  EXPECT_EQ(answer.field("Content-Encoding"), "br");
}

TEST_F(Siblings, SiblingThatComesOrGoesIsNoticed) {
  get("/alone.txt");
  write("alone.txt.br", "now in brotli");
  pass_time();
  EXPECT_EQ(get("/alone.txt", {{"Accept-Encoding", "br"}}).body, "now in brotli");
  std::filesystem::remove(root() / "alone.txt.br");
  pass_time();
  EXPECT_EQ(get("/alone.txt", {{"Accept-Encoding", "br"}}).body, "alone");
}

class SinglePage : public SiteTest {
 protected:
  SinglePage() {
    write("index.html", "single page");
    write("real.txt", "real");
    StaticSiteOptions spa = options();
    spa.spa = true;
    use(spa);
  }
};

TEST_F(SinglePage, UnknownPathsOfPagesGetTheIndex) {
  for (const char* target : {"/", "/deep/link", "/users/7?tab=2", "/a.b/c", "/users/"}) {
    for (const char* accept : {"text/html,application/xhtml+xml;q=0.9", "*/*"}) {
      const Answer answer = get(target, {{"Accept", accept}});
      EXPECT_EQ(answer.status, 200) << target;
      EXPECT_EQ(answer.body, "single page") << target;
      EXPECT_EQ(answer.field("Cache-Control"), "no-cache");
    }
  }
  EXPECT_EQ(get("/real.txt").body, "real");
}

TEST_F(SinglePage, AssetsAndOtherTypesAreStillMissing) {
  for (const char* target : {"/missing.js", "/assets/app.00000000.js", "/favicon.ico", "/a/b.png",
                             "/.env", "/%00", "/..%2f"}) {
    EXPECT_EQ(get(target).status, 404) << target;
  }
  EXPECT_EQ(get("/deep/link", {{"Accept", "application/json"}}).status, 404);
  EXPECT_EQ(get("/deep/link", {{"Accept", ""}}).status, 404);
  EXPECT_EQ(get("/deep/link", {{"Accept", "text/html;q=0"}}).status, 404);
}

TEST_F(SinglePage, WhatDependsOnAcceptSaysSo) {
  for (const FieldPairs& fields :
       std::vector<FieldPairs>{{},
                               {{"Accept", "text/html"}},
                               {{"Accept", "application/json"}},
                               {{"Accept", "application/json"}, {"Accept", "text/html"}}}) {
    EXPECT_EQ(get("/deep/link", fields).field("Vary"), "Accept");
  }
  for (const char* target : {"/", "/real.txt", "/missing.js"}) {
    EXPECT_EQ(get(target).field("Vary"), "") << target;
  }
  EXPECT_EQ(get("/deep/link", {{"Accept", "image/png"}, {"Accept", "*/*"}}).body, "single page");
}

}  // namespace
}  // namespace cairn::site
