// The parts of the chain commands that touch files: capabilities and remembered heads; and what the
// commands refuse before they ask a node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "crypto/chain_author.h"
#include "crypto/random.h"
#include "node/cli/capability_file.h"
#include "node/cli/chain_client.h"
#include "node/cli/cli.h"
#include "node/cli/head_memory.h"
#include "tests/fakes/temporary_directory.h"

namespace cairn::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

Outcome run_with(std::vector<std::string> arguments, const std::string& in = "",
                 bool terminal = false) {
  std::istringstream input(in);
  std::ostringstream out;
  std::ostringstream err;
  World world{input, out, err, terminal, false, {}};
  const int code = run(std::move(arguments), world);
  return {code, out.str(), err.str()};
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

WriteCapability fresh_capability() {
  SystemRandom random;
  return {ChainId{}, WriteSecret::random(random)};
}

Result<Capability> read_from(const std::string& path, const std::string& in, std::string& told) {
  std::istringstream input(in);
  std::ostringstream out;
  std::ostringstream err;
  World world{input, out, err, false, false, {}};
  auto capability = read_capability(path, world);
  told = err.str();
  return capability;
}

TEST(CapabilityFile, IsMadeForItsOwnerAloneAndNeverReplaced) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() / "cap";
  const Capability capability = fresh_capability();
  ASSERT_TRUE(write_secret_file(path, capability_text(capability)));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  std::string told;
  EXPECT_EQ(read_from(path, "", told).value(), capability);
  EXPECT_THAT(told, IsEmpty());
  EXPECT_FALSE(write_secret_file(path, "other"));
  EXPECT_EQ(content_of(path), capability_text(capability) + "\n");
  std::filesystem::create_symlink(directory.path() / "elsewhere", directory.path() / "link");
  EXPECT_FALSE(write_secret_file(directory.path() / "link", "through a link"));
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "elsewhere"));
}

TEST(CapabilityFile, SecretThatOthersCanReadIsToldOf) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() / "cap";
  std::ofstream(path) << "  " << capability_text(fresh_capability()) << "\r\n";
  ::chmod(path.c_str(), 0640);
  std::string told;
  EXPECT_TRUE(read_from(path, "", told));
  EXPECT_THAT(told, HasSubstr("chmod 600"));
  std::ofstream(path) << capability_text(VerifyCapability{});
  EXPECT_TRUE(read_from(path, "", told));
  EXPECT_THAT(told, IsEmpty()) << "no secret";
}

TEST(CapabilityFile, ComesFromStandardInputTooAndNothingElsePasses) {
  const Capability capability = fresh_capability();
  std::string told;
  EXPECT_EQ(read_from("-", capability_text(capability) + "\n", told).value(), capability);
  EXPECT_EQ(read_from("-", "", told).error().code, Errc::malformed);
  EXPECT_EQ(read_from("-", "cairn_w_AAAA", told).error().code, Errc::malformed);
  EXPECT_EQ(read_from("-", std::string(100'000, 'x'), told).error().code, Errc::malformed);
  EXPECT_EQ(read_from("/nonexistent/cap", "", told).error().code, Errc::not_found);
}

TEST(HeadMemory, KeepsTheNewestOfEachChain) {
  const TemporaryDirectory directory;
  const HeadMemory memory(directory.path() / "heads");
  SystemRandom random;
  const WriteSecret secret = WriteSecret::random(random);
  const Bytes manifest = new_manifest(secret, Reads::open, random);
  const ChainId chain = chain_id_of(manifest);
  ChainKeys keys(WriteCapability{chain, secret});
  const ChainState start = ChainState::of(parse_manifest(manifest).value(), chain);
  keys.begin(start);
  const auto links = ChainAuthor(secret, random).write(start, keys, {LinkDraft{}, LinkDraft{}});
  const SeenHead one{{1, link_id_of(links.value()[0])}, links.value()[0]};
  const SeenHead two{{2, link_id_of(links.value()[1])}, links.value()[1]};

  EXPECT_FALSE(memory.load(chain).value());
  ASSERT_TRUE(memory.save(chain, one));
  ASSERT_TRUE(memory.save(chain, two));
  ASSERT_TRUE(memory.save(chain, one));
  const auto seen = memory.load(chain).value();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->position, two.position);
  EXPECT_EQ(seen->link, two.link);
  EXPECT_FALSE(memory.load(ChainId{}).value());
  EXPECT_FALSE(HeadMemory("").load(chain).value());
  EXPECT_TRUE(HeadMemory("").save(chain, one));
}

TEST(HeadMemory, FileOfSomethingElseIsLeftAlone) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() / "heads";
  std::ofstream(path) << "something else\n";
  const HeadMemory memory(path);
  EXPECT_EQ(memory.load(ChainId{}).error().code, Errc::malformed);
  EXPECT_FALSE(memory.save(ChainId{}, {{1, {}}, {}}));
  EXPECT_EQ(content_of(path), "something else\n");
}

TEST(LinkFrames, ComeBackAndCutOnesDoNot) {
  const std::vector<Bytes> links{Bytes(3, 1), Bytes(70'000, 2)};
  const Bytes frames = link_frames(links);
  EXPECT_EQ(split_link_frames(frames), links);
  for (const std::size_t cut : {1U, 3U, 6U, 8U, 70'000U}) {
    EXPECT_FALSE(split_link_frames(ByteView(frames).first(cut))) << cut;
  }
  EXPECT_TRUE(split_link_frames({})->empty());
  EXPECT_FALSE(split_link_frames(Bytes(std::size_t{257} * 4, 0)));
}

class ChainUsage : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(ChainUsage, WordsThatDoNotFitTogetherExitWithTwo) {
  const Outcome outcome = run_with(GetParam(), capability_text(fresh_capability()));
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, Not(IsEmpty()));
}

using Words = std::vector<std::string>;
INSTANTIATE_TEST_SUITE_P(
    Cli, ChainUsage,
    ::testing::Values(Words{"chain"}, Words{"chain", "log"}, Words{"chain", "append"},
                      Words{"chain", "append", "-c", "-"}, Words{"chain", "append", "-c", "-", "-"},
                      Words{"chain", "append", "-c", "x", "--ref", "no-id"},
                      Words{"chain", "append", "-c", "x", "--drop-earlier"},
                      Words{"chain", "append", "-c", "x", "--checkpoint", "a", "b"},
                      Words{"chain", "trim", "-c", "x", "a", "b"},
                      Words{"chain", "delete", "-c", "x"},
                      Words{"chain", "log", "-c", "x", "--payload", "0"},
                      Words{"chain", "follow", "-c", "x", "--count", "0"},
                      Words{"chain", "create", "--server", "https://x"}, Words{"export"},
                      Words{"export", "-o", "x"}, Words{"export", "-c", "x", "-o", "y", "id"},
                      Words{"import"}, Words{"import", "a", "b"}));

TEST(ChainCommands, SecretIsNotShownOnATerminal) {
  for (const Words& words : {Words{"chain", "create"}, Words{"chain", "share", "-c", "-"}}) {
    const Outcome outcome = run_with(words, capability_text(fresh_capability()), true);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr("--print"));
  }
}

TEST(ChainCommands, SharingGoesDownwardsOnly) {
  const WriteCapability write = fresh_capability();
  const ReadCapability read{write.chain, first_read_secret_of(write.secret)};
  const VerifyCapability check{write.chain};
  const auto share = [](const Capability& of, Words more) {
    Words words{"chain", "share", "--offline", "-c", "-"};
    words.insert(words.end(), more.begin(), more.end());
    return run_with(words, capability_text(of));
  };
  EXPECT_EQ(share(write, {}).out, capability_text(read) + "\n");
  EXPECT_EQ(share(read, {}).out, capability_text(read) + "\n");
  EXPECT_EQ(share(check, {}).code, 5);
  for (const Capability& of : {Capability(write), Capability(read), Capability(check)}) {
    EXPECT_EQ(share(of, {"--verify-only"}).out, capability_text(check) + "\n");
  }
}

TEST(ChainCommands, ReadCapabilityDoesNotAppend) {
  const WriteCapability write = fresh_capability();
  const ReadCapability read{write.chain, first_read_secret_of(write.secret)};
  const Outcome outcome =
      run_with({"chain", "append", "-c", "-", "/dev/null"}, capability_text(read));
  EXPECT_EQ(outcome.code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("only a write capability"));
}

TEST(ChainCommands, NodeThatIsNotThereExitsWithFourAndLeavesNoCapability) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() / "cap";
  const Outcome outcome =
      run_with({"chain", "create", "--server", "http://127.0.0.1:1", "--out", path});
  EXPECT_EQ(outcome.code, 4);
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace cairn::cli
