#include "node/cli/cli.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "node/cli/block_cutter.h"
#include "node/cli/completion.h"
#include "node/cli/http_client.h"
#include "node/cli/output_file.h"
#include "node/cli/progress.h"

namespace cairn::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

Outcome run_with(std::vector<std::string> arguments, const std::string& in = "",
                 std::vector<std::string> environment = {}) {
  std::istringstream input(in);
  std::ostringstream out;
  std::ostringstream err;
  World world{input, out, err, false, false, std::move(environment)};
  const int code = run(std::move(arguments), world);
  return {code, out.str(), err.str()};
}

class TempDirectory {
 public:
  TempDirectory() : path_(::testing::TempDir() + "cairn-cli-XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  ~TempDirectory() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    out.push_back(entry.path().filename().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class WrongUsage : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(WrongUsage, CommandLineExitsWithTwoAndWordsOnErrorOutput) {
  const Outcome outcome = run_with(GetParam());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, Not(IsEmpty()));
}

INSTANTIATE_TEST_SUITE_P(
    Cli, WrongUsage,
    ::testing::Values(std::vector<std::string>{}, std::vector<std::string>{"blok"},
                      std::vector<std::string>{"block"}, std::vector<std::string>{"block", "pat"},
                      std::vector<std::string>{"block", "get"},
                      std::vector<std::string>{"block", "get", "xyz"},
                      std::vector<std::string>{"block", "put", "--server", "nonsense", "x"},
                      std::vector<std::string>{"block", "put", "--server", "https://x", "x"},
                      std::vector<std::string>{"block", "put", "--jobs", "0", "x"},
                      std::vector<std::string>{"block", "put", "--block-bytes", "17MiB", "x"},
                      std::vector<std::string>{"completion", "powershell"},
                      std::vector<std::string>{"config", "check", "--config"},
                      std::vector<std::string>{"config", "check", "--set", "nonsense"},
                      std::vector<std::string>{"serve", "--nonsense"}));

TEST(Cli, WrongCommandIsToldTheOneThatMayHaveBeenMeant) {
  EXPECT_THAT(run_with({"blok"}).err,
              HasSubstr("'cairn' has no command 'blok'; did you mean 'block'?"));
  EXPECT_THAT(run_with({"block", "git", "x"}).err,
              HasSubstr("'cairn block' has no command 'git'; did you mean 'get'?"));
  EXPECT_THAT(run_with({"xyzzy"}).err, Not(HasSubstr("did you mean")));
  EXPECT_THAT(run_with({"block"}).err, HasSubstr("--help"));
}

TEST(Cli, ConfigShowFollowsSetAndEnvironment) {
  const Outcome outcome =
      run_with({"config", "show", "--set", "cache.memory=5MiB", "--set", "site.spa=true"}, "",
               {"CAIRN_CACHE_POLICY=s3-fifo"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("memory = \"5MiB\""));
  EXPECT_THAT(outcome.out, HasSubstr("# CAIRN_CACHE_POLICY"));
  EXPECT_THAT(outcome.out, HasSubstr("spa = true"));
}

TEST(Cli, ConfigFileComesFromTheEnvironmentToo) {
  const TempDirectory directory;
  write_file(directory / "c.toml", "[cache]\nmemroy = 1\n");
  const Outcome outcome =
      run_with({"config", "check"}, "", {"CAIRN_CONFIG=" + (directory / "c.toml")});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "cairn: " + (directory / "c.toml") +
                             ":2:1: cache.memroy is not a known key; did you mean cache.memory?\n");
}

TEST(Cli, MissingRootIsNamedByCheck) {
  const Outcome outcome = run_with({"config", "check", "--set", "site.root=/nonexistent/root"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("/nonexistent/root: No such file or directory"));
}

TEST(Cli, UnreachableServerExitsWithFour) {
  // Port 1 on the loopback address: nothing listens below 1024 in a test.
  const Outcome outcome =
      run_with({"block", "stat", "--server", "http://127.0.0.1:1", std::string(64, '0')});
  EXPECT_EQ(outcome.code, 4);
  EXPECT_THAT(outcome.err, HasSubstr("127.0.0.1:1"));
}

TEST(Completion, EveryShellKnowsEveryCommandAndOption) {
  CLI::App app;
  Command command;
  build_app(app, command);
  for (const std::string& script :
       {bash_completion(app), zsh_completion(app), fish_completion(app)}) {
    for (const char* word :
         {"serve", "put", "missing", "doctor", "fsck", "jobs", "config", "zsh"}) {
      EXPECT_NE(script.find(word), std::string::npos) << word;
    }
  }
}

class CompletionScript : public ::testing::TestWithParam<const char*> {};

TEST_P(CompletionScript, ShellAcceptsItsSyntax) {
  const TempDirectory directory;
  const Outcome outcome = run_with({"completion", GetParam()});
  ASSERT_EQ(outcome.code, 0);
  write_file(directory / "script", outcome.out);
  const std::string check = std::string(GetParam()) + " -n " + (directory / "script");
  EXPECT_EQ(std::system(check.c_str()), 0);
}

INSTANTIATE_TEST_SUITE_P(Cli, CompletionScript, ::testing::Values("bash", "zsh", "fish"));

TEST(ServerAddress, UrlIsTakenApart) {
  EXPECT_EQ(parse_server("http://127.0.0.1:8080/").value().port, "8080");
  EXPECT_EQ(parse_server("http://example.org").value().port, "80");
  EXPECT_EQ(parse_server("http://[::1]:81").value().host, "::1");
  EXPECT_EQ(parse_server("http://[::1]").value().host, "::1");
  for (const char* bad : {"", "x", "https://a", "http://", "http://a/b", "http://u@h", "ftp://a"}) {
    EXPECT_FALSE(parse_server(bad)) << bad;
  }
}

TEST(BlockCutter, FilesAreCutAndDirectoriesWalkedInOrder) {
  const TempDirectory directory;
  std::filesystem::create_directories(directory / "d/sub");
  write_file(directory / "d/b", "12345");
  write_file(directory / "d/sub/a", "x");
  write_file(directory / "d/empty", "");
  std::filesystem::create_symlink("/etc/passwd", directory / "d/link");
  std::istringstream in("standard");
  BlockCutter cutter({directory / "d", directory / "absent", "-"}, 4, in);
  std::vector<std::string> cuts;
  while (auto cut = cutter.next()) {
    cuts.push_back(std::filesystem::path(cut->path).filename().string() + "=" +
                   std::string(cut->bytes.begin(), cut->bytes.end()));
  }
  EXPECT_THAT(cuts, ElementsAre("b=1234", "b=5", "a=x", "-=stan", "-=dard"));
  EXPECT_THAT(cutter.take_problems(),
              ElementsAre((directory / "absent") + ": No such file or directory",
                          (directory / "d/empty") + ": empty; a block has at least one byte"));
  EXPECT_FALSE(cutter.total_bytes());
}

TEST(BlockCutter, BlockTakesTheRoomOfItsFile) {
  const TempDirectory directory;
  write_file(directory / "small", "12345");
  std::istringstream in("123");
  BlockCutter cutter({directory / "small", "-"}, std::size_t{16} << 20, in);
  while (auto cut = cutter.next()) EXPECT_LT(cut->bytes.capacity(), 4096U) << cut->path;
  EXPECT_THAT(cutter.take_problems(), IsEmpty());
}

TEST(OutputFile, LinkIsFollowedAndTheOwnersPartFileLeftAlone) {
  const TempDirectory directory;
  write_file(directory / "target", "old");
  write_file(directory / "target.part", "mine");
  std::filesystem::create_symlink("target", directory / "link");
  std::filesystem::create_symlink("new", directory / "dangling");
  for (const char* name : {"link", "dangling"}) {
    OutputFile file(directory / name);
    ASSERT_TRUE(file.open());
    file.stream() << name;
    EXPECT_EQ(read_file(directory / "target"), "old");
    ASSERT_TRUE(file.keep());
    EXPECT_TRUE(std::filesystem::is_symlink(directory / name));
    EXPECT_EQ(read_file(directory / name), name);
    write_file(directory / "target", "old");
  }
  EXPECT_EQ(read_file(directory / "new"), "dangling");
  EXPECT_EQ(read_file(directory / "target.part"), "mine");
  EXPECT_THAT(names_in(directory.path()),
              ElementsAre("dangling", "link", "new", "target", "target.part"));
}

TEST(OutputFile, WhatIsNotKeptLeavesNothing) {
  const TempDirectory directory;
  write_file(directory / "target", "old");
  {
    OutputFile file(directory / "target");
    ASSERT_TRUE(file.open());
    file.stream() << "half";
  }
  EXPECT_EQ(read_file(directory / "target"), "old");
  EXPECT_THAT(names_in(directory.path()), ElementsAre("target"));
  EXPECT_FALSE(OutputFile(directory.path()).open()) << "a directory";
}

TEST(OutputFile, PipeIsWrittenAsItIs) {
  const TempDirectory directory;
  const std::string path = directory / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  OutputFile file(path);
  ASSERT_TRUE(file.open());
  file.stream() << "through";
  ASSERT_TRUE(file.keep());
  std::string read(16, '\0');
  read.resize(static_cast<std::size_t>(std::max(ssize_t{0}, ::read(reader, read.data(), 16))));
  ::close(reader);
  EXPECT_EQ(read, "through");
  EXPECT_THAT(names_in(directory.path()), ElementsAre("pipe"));
  EXPECT_TRUE(std::filesystem::is_fifo(path));
}

TEST(Progress, BarIsDrawnAgainAfterALine) {
  std::ostringstream err;
  Progress progress(err, Progress::Style::bar, "put", 10);
  progress.advance(1);
  progress.clear_line();
  EXPECT_TRUE(err.str().ends_with("\r\x1b[K"));
  progress.advance(1);
  EXPECT_THAT(err.str(), HasSubstr("put 2 blocks"));
}

TEST(Progress, ShortTransferWithoutATerminalSaysNothing) {
  std::ostringstream err;
  Progress progress(err, Progress::Style::lines, "put", 10);
  progress.advance(10);
  progress.finish(0);
  EXPECT_THAT(err.str(), IsEmpty());
}

TEST(Progress, BarEndsWithAllOfIt) {
  std::ostringstream err;
  Progress progress(err, Progress::Style::bar, "put", 10);
  progress.advance(10);
  progress.finish(0);
  EXPECT_THAT(err.str(), HasSubstr("] 100% put 1 blocks, 10 B of 10 B"));
}

}  // namespace
}  // namespace cairn::cli
