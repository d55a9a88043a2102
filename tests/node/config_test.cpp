#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "node/config_layers.h"
#include "node/config_show.h"
#include "node/config_text.h"

namespace cairn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LoadedConfig load(const std::string& file, std::vector<std::string> environment = {},
                  std::vector<std::string> sets = {}) {
  return load_config({"c.toml", file, std::move(environment), std::move(sets)});
}

std::vector<std::string> lines(const std::vector<ConfigError>& errors) {
  std::vector<std::string> out;
  for (const ConfigError& error : errors) out.push_back(error_line(error));
  return out;
}

std::vector<std::string> errors_of(const std::string& file) {
  return lines(load(file).errors);
}

TEST(ConfigLayers, NothingSetGivesDefaultsAndOneSite) {
  const LoadedConfig loaded = load_config({});
  EXPECT_THAT(lines(loaded.errors), IsEmpty());
  EXPECT_EQ(loaded.config.cache.memory_bytes, 256 * kMiB);
  ASSERT_EQ(loaded.config.sites.size(), 1U);
  EXPECT_THAT(loaded.config.sites[0].hosts, ElementsAre("*"));
  EXPECT_THAT(lines(unavailable_values(loaded)), IsEmpty());
}

TEST(ConfigLayers, LaterLayerWinsAndOriginIsKept) {
  const std::string file =
      "[cache]\nmemory = \"1MiB\"\npolicy = \"s3-fifo\"\n[storage]\nsync=false\n";
  const LoadedConfig loaded =
      load(file, {"CAIRN_CACHE_MEMORY=2MiB", "CAIRN_LIMITS_HEADERS=50"}, {"cache.memory=3MiB"});
  EXPECT_THAT(lines(loaded.errors), IsEmpty());
  EXPECT_EQ(loaded.config.cache.memory_bytes, 3 * kMiB);
  EXPECT_EQ(loaded.config.cache.policy, "s3-fifo");
  EXPECT_EQ(loaded.config.limits.headers, 50U);
  EXPECT_FALSE(loaded.config.storage.sync);
  EXPECT_EQ(loaded.origins.at("cache.memory").where, "--set cache.memory");
  EXPECT_EQ(loaded.origins.at("cache.policy").where, "c.toml:3:1");
  EXPECT_EQ(loaded.origins.at("limits.headers").where, "CAIRN_LIMITS_HEADERS");
  EXPECT_FALSE(loaded.origins.contains("node.threads"));
}

// Found by the fuzz target, as are the two after it and ConfigShow.SmallPercentages….
TEST(ConfigErrors, TextThatIsNotUtf8IsRefusedInEveryLayer) {
  EXPECT_THAT(lines(load("", {}, {"node.name=\xC3("}).errors),
              ElementsAre("--set node.name: node.name is not UTF-8 text"));
  EXPECT_THAT(lines(load("", {"CAIRN_SITE_HEADERS=X-A: \xFF"}).errors),
              ElementsAre("CAIRN_SITE_HEADERS: site[0].headers is not UTF-8 text"));
}

TEST(ConfigErrors, ControlBytesInNamesAreEscapedInMessages) {
  const auto errors = errors_of("[\"ca\\u001b[31mche\"]\n");
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors[0].find("ca\\x1b[31mche"), std::string::npos) << errors[0];
}

TEST(ConfigErrors, LetterBehindAValueIsAnError) {
  const auto errors = errors_of("[cache]\nmemory = 1.5\u00e9\n");
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_TRUE(errors[0].starts_with("c.toml:2:")) << errors[0];
}

TEST(ConfigLayers, SitesAndProxiesAreRead) {
  const LoadedConfig loaded = load(
      "[[site]]\nhosts = [\"A.example\", \"b.example\"]\nroot = \"www\"\nspa = true\n"
      "[[site.proxy]]\npath = \"/api/\"\nupstreams = [\"http://127.0.0.1:3000\"]\n"
      "[[site]]\nhosts = [\"*\"]\nwrite = \"nobody\"\n");
  EXPECT_THAT(lines(loaded.errors), IsEmpty());
  ASSERT_EQ(loaded.config.sites.size(), 2U);
  EXPECT_THAT(loaded.config.sites[0].hosts, ElementsAre("a.example", "b.example"));
  EXPECT_TRUE(loaded.config.sites[0].spa);
  ASSERT_EQ(loaded.config.sites[0].proxies.size(), 1U);
  EXPECT_EQ(loaded.config.sites[0].proxies[0].path, "/api/");
  EXPECT_EQ(loaded.config.sites[1].write, "nobody");
}

TEST(ConfigLayers, SetNamesASiteByIndexWhereThereAreSeveral) {
  const std::string two = "[[site]]\nhosts=[\"a\"]\n[[site]]\nhosts=[\"b\"]\n";
  EXPECT_EQ(load(two, {}, {"site.1.root=x"}).config.sites[1].root, "x");
  EXPECT_EQ(load("", {}, {"site.root=y", "site.hosts=a, b"}).config.sites[0].root, "y");
  EXPECT_THAT(lines(load(two, {}, {"site.root=x"}).errors),
              ElementsAre("--set site.root: there are 2 sites; name one, as in "
                          "--set site.0.root=…"));
  EXPECT_THAT(lines(load(two, {}, {"site.2.root=x"}).errors),
              ElementsAre("--set site.2.root: there is no site 2"));
}

TEST(ConfigLayers, ForeignVariablesAreLeftAloneAndMisspeltOnesRefused) {
  EXPECT_THAT(lines(load("", {"CAIRN_SERVER=http://x", "CAIRN_BIN_DIR=/x", "PATH=/bin"}).errors),
              IsEmpty());
  EXPECT_THAT(lines(load("", {"CAIRN_CACHE_MEMROY=1"}).errors),
              ElementsAre("CAIRN_CACHE_MEMROY: cache.memroy is not a known key; did you mean "
                          "CAIRN_CACHE_MEMORY?"));
  EXPECT_THAT(lines(load("", {"CAIRN_CAHE_MEMORY=1"}).errors),
              ElementsAre("CAIRN_CAHE_MEMORY: cahe.memory is not a known key; did you mean "
                          "CAIRN_CACHE_MEMORY?"));
}

TEST(ConfigErrors, UnknownKeyNamesLineColumnAndNearestKey) {
  EXPECT_THAT(errors_of("[cache]\n  memroy = 1\n"),
              ElementsAre("c.toml:2:3: cache.memroy is not a known key; did you mean "
                          "cache.memory?"));
  EXPECT_THAT(errors_of("[cahce]\nmemory = 1\n"),
              ElementsAre("c.toml:1:1: [cahce] is not a known section; did you mean [cache]?"));
  EXPECT_THAT(errors_of("memory = 1\n"),
              ElementsAre("c.toml:1:1: memory stands outside a section; did you mean "
                          "cache.memory?"));
  EXPECT_THAT(errors_of("[[sites]]\nroot = \"x\"\n"),
              ElementsAre("c.toml:1:3: sites is neither a section nor a key; did you mean "
                          "[[site]]?"));
  EXPECT_THAT(errors_of("[[site]]\nrot = \"x\"\n"),
              ElementsAre("c.toml:2:1: site.rot is not a known key; did you mean site.root?"));
  EXPECT_THAT(errors_of("[cache]\nzzzzzzzzzzzz = 1\n"),
              ElementsAre("c.toml:2:1: cache.zzzzzzzzzzzz is not a known key; `cairn config show` "
                          "lists them all"));
}

TEST(ConfigErrors, DuplicateKeyOrSectionIsRefused) {
  EXPECT_THAT(errors_of("[cache]\nmemory = 1\nmemory = 2\n"),
              ElementsAre("c.toml:3:10: memory is set a second time"));
  EXPECT_THAT(errors_of("[cache]\nmemory = 1\n[cache]\n"),
              ElementsAre("c.toml:3:1: cache is set a second time"));
}

TEST(ConfigErrors, WrongTypeSaysWhatIsExpected) {
  EXPECT_THAT(errors_of("[storage]\nsync = \"yes\"\n"),
              ElementsAre("c.toml:2:1: storage.sync expects true or false, not \"yes\""));
  EXPECT_THAT(errors_of("[limits]\nheaders = \"10\"\n"),
              ElementsAre("c.toml:2:1: limits.headers expects a whole number, 8 to 1000, not "
                          "\"10\""));
  EXPECT_THAT(errors_of("[listen]\nhttp = \"127.0.0.1:80\"\n"),
              ElementsAre("c.toml:2:1: listen.http expects a list of addresses such as "
                          "\"127.0.0.1:8080\", not \"127.0.0.1:80\""));
  EXPECT_THAT(errors_of("[cache]\npolicy = \"fifo\"\n"),
              ElementsAre("c.toml:2:1: cache.policy expects one of \"lru\", \"s3-fifo\", not "
                          "\"fifo\""));
  EXPECT_THAT(errors_of("[cache]\nmemory = 1.5\n"),
              ElementsAre("c.toml:2:1: cache.memory expects a byte size such as \"256MiB\", 0 to "
                          "16TiB, not a floating-point"));
  EXPECT_THAT(errors_of("cache = 1\n"),
              ElementsAre("c.toml:1:1: cache is a section: write [cache]"));
  EXPECT_THAT(errors_of("[site]\nroot = \"x\"\n"),
              ElementsAre("c.toml:1:2: site is a list: write [[site]] instead of [site]"));
}

TEST(ConfigErrors, OverflowAndRangeAreRefused) {
  EXPECT_THAT(errors_of("[cache]\nmemory = \"99999999TiB\"\n"),
              ElementsAre("c.toml:2:1: cache.memory expects a byte size such as \"256MiB\", 0 to "
                          "16TiB, not \"99999999TiB\""));
  EXPECT_EQ(errors_of("[cache]\nmemory = 99999999999999999999\n").size(), 1U);
  EXPECT_THAT(
      errors_of("[limits]\nblock_bytes = \"17MiB\"\n"),
      ElementsAre("c.toml:2:1: limits.block_bytes is out of range: expects a byte size such "
                  "as \"256MiB\", 1KiB to 16MiB, not \"17MiB\""));
  EXPECT_THAT(errors_of("[limits]\nblock_bytes = \"16MiB\"\nanswer_bytes = \"100MiB\"\n"),
              ElementsAre("c.toml:3:1: limits.answer_bytes has no room for 8 blocks of "
                          "block_bytes"));
  EXPECT_THAT(errors_of("[limits]\nheaders = -1\n"),
              ElementsAre("c.toml:2:1: limits.headers expects a whole number, 8 to 1000, not -1"));
}

TEST(ConfigErrors, SyntaxErrorIsOneLineWithItsPlace) {
  const auto errors = errors_of("[cache]\nmemory = \"1\nsync");
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_TRUE(errors[0].starts_with("c.toml:2:")) << errors[0];
  EXPECT_EQ(errors[0].find('\n'), std::string::npos);
}

TEST(ConfigErrors, EveryErrorIsReported) {
  EXPECT_EQ(errors_of("[cache]\nmemroy = 1\npolicy = 3\n[storage]\nsync = 1\n").size(), 3U);
}

TEST(ConfigErrors, ControlCharacterInAHeaderIsRefused) {
  EXPECT_THAT(errors_of("[[site]]\nheaders = [\"X-A: b\\r\\nSet-Cookie: c\"]\n"),
              ElementsAre("c.toml:2:1: site[0].headers holds a control character"));
}

TEST(ConfigErrors, HeaderThatNoSiteCanSendIsRefusedWithItsPlace) {
  EXPECT_THAT(errors_of("[[site]]\nheaders = [\"X-A: b\", \"etag: \\\"1\\\"\"]\n"),
              ElementsAre("c.toml:2:1: site[0].headers \"etag: \"1\"\" is a field that the server "
                          "sets itself"));
  EXPECT_THAT(errors_of("[[site]]\nheaders = [\"X A: b\"]\n"),
              ElementsAre("c.toml:2:1: site[0].headers \"X A: b\" is no field (\"Name: value\")"));
  EXPECT_THAT(errors_of("[[site]]\nheaders = [\"X-A\"]\n"),
              ElementsAre("c.toml:2:1: site[0].headers \"X-A\" is no field (\"Name: value\")"));
}

TEST(ConfigErrors, HostWithAPortIsRefused) {
  EXPECT_THAT(errors_of("[[site]]\nhosts = [\"example.com:8080\"]\n"),
              ElementsAre("c.toml:2:1: site[0].hosts expects a list of host names, without ports, "
                          "not \"example.com:8080\""));
  for (const char* wrong : {"[::1]:80", "::1", "[::1", "[]", "a]"}) {
    EXPECT_EQ(errors_of("[[site]]\nhosts = [\"" + std::string(wrong) + "\"]\n").size(), 1U)
        << wrong;
  }
  EXPECT_THAT(errors_of("[[site]]\nhosts = [\"[2001:DB8::1]\", \"127.0.0.1\", \"a_b.test\"]\n"),
              IsEmpty());
}

TEST(ConfigRules, AdminBeyondLoopbackNeedsConsent) {
  EXPECT_THAT(
      errors_of("[listen]\nadmin = \"0.0.0.0:9090\"\n"),
      ElementsAre("c.toml:2:1: listen.admin can be reached from other machines and asks for "
                  "no password; use a loopback address, or set listen.admin_allow_remote = "
                  "true"));
  EXPECT_THAT(errors_of("[listen]\nadmin = \"0.0.0.0:9090\"\nadmin_allow_remote = true\n"),
              IsEmpty());
  EXPECT_THAT(errors_of("[listen]\nadmin = \"[::1]:0\"\n"), IsEmpty());
}

TEST(ConfigRules, HostOfTwoSitesIsRefused) {
  EXPECT_THAT(errors_of("[[site]]\nhosts=[\"a\"]\n[[site]]\nhosts=[\"A\"]\n"),
              ElementsAre("c.toml:4:1: site[1].hosts names \"a\", which another site has already"));
}

TEST(ConfigRules, SitesWithoutHostsAreToldToNameThem) {
  EXPECT_THAT(errors_of("[[site]]\nroot=\"a\"\n[[site]]\nroot=\"b\"\n"),
              ElementsAre("default: site[1].hosts is not set, so the site answers for every host, "
                          "as another does already; name each site's own, as in hosts = "
                          "[\"a.example\"]"));
}

TEST(ConfigRules, LogsDoNotLieInTheStore) {
  EXPECT_THAT(errors_of("[node]\ndata_dir=\"v/\"\n[log]\naccess=\"./v/a.log\"\n"),
              ElementsAre("c.toml:4:1: log.access lies in node.data_dir, which holds the store and "
                          "nothing else"));
  EXPECT_THAT(errors_of("[node]\ndata_dir=\"v\"\n[log]\nevents=\"v2/e.log\"\n"), IsEmpty());
  EXPECT_THAT(errors_of("[log]\naccess=\"stderr\"\n"),
              ElementsAre("c.toml:2:1: log.access is \"off\", \"stdout\" or a file"));
}

TEST(ConfigRules, LaterValuesAreNamedWithTheirPlace) {
  const LoadedConfig loaded = load("[cache]\ndisk = \"1GiB\"\n[[site]]\nwrite = \"accounts\"\n", {},
                                   {"node.roles=storage"});
  EXPECT_THAT(lines(loaded.errors), IsEmpty());
  EXPECT_THAT(
      lines(unavailable_values(loaded)),
      ElementsAre("--set node.roles: node.roles = [\"storage\"] is not available in this version",
                  "c.toml:2:1: cache.disk = \"1GiB\" is not available in this version"));
}

TEST(ConfigSecrets, FileReadableByOthersIsRefused) {
  std::string name = ::testing::TempDir() + "cairn-seed-XXXXXX";
  const int fd = mkstemp(name.data());
  ASSERT_GE(fd, 0);
  const LoadedConfig loaded = load("", {}, {"cluster.placement_seed_file=" + name});
  EXPECT_THAT(lines(exposed_secrets(loaded)), IsEmpty());
  ASSERT_EQ(fchmod(fd, 0640), 0);
  EXPECT_THAT(lines(exposed_secrets(loaded)),
              ElementsAre("--set cluster.placement_seed_file: cluster.placement_seed_file: " +
                          name + " can be read by others; run: chmod 600 " + name));
  close(fd);
  unlink(name.c_str());
  EXPECT_EQ(exposed_secrets(loaded).size(), 1U);
}

TEST(ConfigShow, EffectiveConfigurationLoadsToTheSame) {
  const LoadedConfig first = load(
      "[[site]]\nhosts=[\"a\"]\nheaders=[\"X-Q: \\\"\\\\\"]\n[[site.proxy]]\npath=\"/x\"\n"
      "[[site]]\nhosts=[\"*\"]\n[storage]\nreserve=\"7.5%\"\n",
      {}, {"cache.memory=1500"});
  ASSERT_THAT(lines(first.errors), IsEmpty());
  const std::string shown = config_as_toml(first, ShowOrigins::yes);
  const LoadedConfig second = load(shown);
  EXPECT_THAT(lines(second.errors), IsEmpty());
  EXPECT_EQ(config_as_toml(first, ShowOrigins::no), config_as_toml(second, ShowOrigins::no));
  EXPECT_NE(shown.find("# --set cache.memory"), std::string::npos);
  EXPECT_NE(shown.find("reserve = \"7.5%\""), std::string::npos);
}

TEST(ConfigShow, SmallPercentagesLoadToTheSame) {
  for (const char* share : {"0.00001%", "0.0000000001%", "33.333333333%", "99.9999999%"}) {
    const LoadedConfig first = load("", {}, {"storage.reserve=" + std::string(share)});
    ASSERT_THAT(lines(first.errors), IsEmpty());
    const std::string shown = config_as_toml(first, ShowOrigins::no);
    EXPECT_NE(shown.find(share), std::string::npos) << shown;
    EXPECT_EQ(load(shown).config.storage.reserve, first.config.storage.reserve);
  }
  EXPECT_FALSE(load("", {}, {"storage.reserve=5.0000000000000%"}).ok());
}

TEST(ConfigShow, DocumentedPageIsTheTable) {
  std::ifstream in(std::string(CAIRN_SOURCE_DIR) + "/docs/configuration.md");
  std::stringstream page;
  page << in.rdbuf();
  EXPECT_TRUE(page.str() == configuration_page())
      << "run: cairn config docs > docs/configuration.md";
}

class ExampleConfiguration : public ::testing::TestWithParam<const char*> {};

TEST_P(ExampleConfiguration, FileIsValid) {
  ConfigSources sources;
  const std::string path = std::string(CAIRN_SOURCE_DIR) + "/conf/" + GetParam() + ".toml";
  ASSERT_THAT(lines(load_config_file(path, sources)), IsEmpty());
  const LoadedConfig loaded = load_config(sources);
  EXPECT_THAT(lines(loaded.errors), IsEmpty());
  // Only the single node runs with this version; the others must be refused, not half obeyed.
  EXPECT_EQ(unavailable_values(loaded).empty(), GetParam() == std::string_view("single"));
}

INSTANTIATE_TEST_SUITE_P(Conf, ExampleConfiguration,
                         ::testing::Values("single", "pair-a", "pair-b", "interface", "storage"));

TEST(ConfigText, ByteSizesAreExactOrRefused) {
  EXPECT_EQ(parse_byte_size("256MiB"), 256 * kMiB);
  EXPECT_EQ(parse_byte_size("1 GB"), 1'000'000'000U);
  EXPECT_EQ(parse_byte_size("0"), 0U);
  EXPECT_EQ(parse_byte_size("8388607TiB"), std::uint64_t{8388607} << 40);
  for (const char* bad : {"", "MiB", "1.5MiB", "-1", "1 ", "1  MiB", "8388608TiB", "1mib", "0x1",
                          "99999999999999999999"}) {
    EXPECT_FALSE(parse_byte_size(bad)) << bad;
  }
  EXPECT_EQ(byte_size_text(kMiB), "1MiB");
  EXPECT_EQ(byte_size_text(1500), "1500");
}

TEST(ConfigText, ListenAddressesAreNumericOrLocalhost) {
  EXPECT_EQ(parse_listen_address("[::1]:80")->host, "::1");
  EXPECT_EQ(parse_listen_address("localhost:0")->port, 0);
  for (const char* bad : {"", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80",
                          "[::1:80", "example.org:80", "[127.0.0.1]:80", "1.2.3:4"}) {
    EXPECT_FALSE(parse_listen_address(bad)) << bad;
  }
  EXPECT_TRUE(is_loopback({"127.3.0.1", 1}));
  EXPECT_FALSE(is_loopback({"127.evil.example", 1}));
  EXPECT_FALSE(is_loopback({"127.0.0.1.evil.example", 1}));
  EXPECT_FALSE(is_loopback({"127.", 1}));
  EXPECT_FALSE(is_loopback({"0.0.0.0", 1}));
  EXPECT_FALSE(is_loopback({"::", 1}));
}

TEST(ConfigText, EditDistanceCountsASwapAsOne) {
  EXPECT_EQ(edit_distance("memroy", "memory"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(ConfigFile, UnreadableFileIsOneLine) {
  ConfigSources sources;
  EXPECT_THAT(lines(load_config_file("/nonexistent/c.toml", sources)),
              ElementsAre("/nonexistent/c.toml: cannot be read: No such file or directory"));
  EXPECT_THAT(lines(load_config_file("/", sources)),
              ElementsAre("/: cannot be read: Is a directory"));
}

}  // namespace
}  // namespace cairn
