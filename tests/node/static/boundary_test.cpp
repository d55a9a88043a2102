// Nothing outside the root, nothing but regular files, and no waiting (bad-input rows 14 and 15).
#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/node/static/site_harness.h"

namespace cairn::site {
namespace {

class Boundary : public SiteTest {
 protected:
  Boundary() {
    write("index.html", "home");
    write("app.js", "script");
    write("docs/index.html", "docs");
    write(".env", kSecret);
    write(".git/config", kSecret);
    write("docs/.hidden", kSecret);
    write(".well-known/security.txt", "contact");
  }
};

TEST_F(Boundary, NoSpellingLeadsOut) {
  const std::vector<std::string> ups{"..",
                                     "%2e%2e",
                                     ".%2e",
                                     "%252e%252e",
                                     "..%00",
                                     "..;",
                                     "...",
                                     "..%5c",
                                     "%5c..",
                                     "%c0%ae%c0%ae",
                                     "%e0%80%ae%e0%80%ae",
                                     "%uff0e%uff0e",
                                     "%ef%bc%8e%ef%bc%8e"};
  const std::vector<std::string> slashes{"/", "%2f", "%252f", "%5c", "\\", "//", "/./", "%c0%af"};
  for (const std::string& up : ups) {
    for (const std::string& slash : slashes) {
      for (const std::string& start : {std::string("/"), std::string("/docs/") + up + slash}) {
        const Answer answer = get(start + up + slash + "outside/secret.txt");
        EXPECT_EQ(answer.status, 404) << start << up << slash;
      }
    }
  }
}

TEST_F(Boundary, DotFilesAreNeverServedButWellKnown) {
  for (const char* target : {"/.env", "/.git/config", "/docs/.hidden", "/.git/", "/.git", "/%2eenv",
                             "/docs/%2ehidden", "/.well-known/../.env"}) {
    EXPECT_EQ(get(target).status, 404) << target;
  }
  EXPECT_EQ(get("/.well-known/security.txt").body, "contact");
}

TEST_F(Boundary, LinksOutOfTheRootAreNotFollowed) {
  link("relative.txt", "../outside/secret.txt");
  link("absolute.txt", (outside() / "secret.txt").string());
  link("folder", "../outside");
  link("proc", "/proc/self/environ");
  link("self", "/proc/self/root");
  link("loop", "loop");
  link("dangling", "nothing");
  for (const char* target :
       {"/relative.txt", "/absolute.txt", "/folder", "/folder/", "/folder/index.html",
        "/folder/secret.txt", "/proc", "/self/etc/passwd", "/loop", "/dangling"}) {
    EXPECT_EQ(get(target).status, 404) << target;
  }
}

TEST_F(Boundary, LinksWithinTheRootAreFollowed) {
  link("inside.js", "app.js");
  link("docs/up.js", "../app.js");
  link("folder", "docs");
  EXPECT_EQ(get("/inside.js").body, "script");
  EXPECT_EQ(get("/docs/up.js").body, "script");
  EXPECT_EQ(get("/folder/").body, "docs");
}

TEST_F(Boundary, FifosAndSocketsAreMissingAndNobodyWaits) {
  ASSERT_EQ(::mkfifo((root() / "fifo.txt").c_str(), 0666), 0);
  ASSERT_EQ(::mkfifo((root() / "sibling.js.br").c_str(), 0666), 0);
  write("sibling.js", "plain");
  EXPECT_EQ(get("/fifo.txt").status, 404);
  EXPECT_EQ(get("/fifo.txt/").status, 404);
  EXPECT_EQ(get("/sibling.js", {{"Accept-Encoding", "br"}}).body, "plain");
}

TEST_F(Boundary, FileIsNoFolder) {
  for (const char* target : {"/app.js/", "/app.js/x", "/index.html/", "/docs/index.html/.."}) {
    EXPECT_EQ(get(target).status, 404) << target;
  }
}

TEST_F(Boundary, UnreadableNamesAreMissing) {
  EXPECT_EQ(get("/" + std::string(255, 'n')).status, 404);
  EXPECT_EQ(get("/" + std::string(300, 'n')).status, 404);
  std::string deep;
  for (int i = 0; i < 1900; ++i) deep += "/a";
  EXPECT_EQ(get(deep).status, 404);
}

/// Swaps two names in one step, as fast as it goes, while `ask` is called: `count` times and more,
/// until it said true (found what is inside) at least once.
template <class Ask>
void while_swapping(const std::filesystem::path& one, const std::filesystem::path& other, Ask ask,
                    int count) {
  std::atomic<bool> stop{false};
  std::atomic<int> swaps{0};
  std::thread swapper([&] {
    while (!stop) {
      ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
      ++swaps;
    }
  });
  bool found = false;
  constexpr int kEnough = 100'000;
  for (int i = 0; i < count || ((swaps < 100 || !found) && i < kEnough); ++i) {
    if (ask()) found = true;
  }
  stop = true;
  swapper.join();
  EXPECT_TRUE(found);
}

TEST_F(Boundary, FileThatBecomesALinkOutNeverLeaks) {
  write("true.txt", "inside");
  link("false.txt", "../outside/secret.txt");
  while_swapping(
      root() / "true.txt", root() / "false.txt",
      [&] {
        pass_time();
        const Answer answer = get("/true.txt");  // The harness looks for the secret in every body.
        EXPECT_TRUE(answer.status == 404 || answer.body == "inside") << answer.status;
        return answer.status == 200;
      },
      500);
}

TEST_F(Boundary, FolderThatBecomesALinkOutNeverLeaks) {
  write("true/index.html", "inside");
  link("false", "../outside");
  while_swapping(
      root() / "true", root() / "false",
      [&] {
        pass_time();
        const Answer answer = get("/true/index.html");
        EXPECT_TRUE(answer.status == 404 || answer.body == "inside") << answer.status;
        return answer.status == 200;
      },
      500);
}

}  // namespace
}  // namespace cairn::site
