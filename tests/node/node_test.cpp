#include "node/node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "node/listen_check.h"
#include "node/node_directory.h"
#include "node/service_notifier.h"
#include "tests/fakes/temporary_directory.h"
#include "tests/node/http/raw_client.h"

namespace cairn {
namespace {

using http::RawClient;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

unsigned mode_of(const std::filesystem::path& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 0777U;
}

class NodeTest : public ::testing::Test {
 protected:
  LoadedConfig configuration(std::vector<std::string> sets = {}) const {
    sets.push_back("node.data_dir=" + data_.string());
    sets.emplace_back("node.threads=2");
    sets.emplace_back("listen.http=127.0.0.1:0");
    sets.emplace_back("listen.admin=127.0.0.1:0");
    LoadedConfig loaded = load_config({"", "", {}, sets});
    for (const ConfigError& error : loaded.errors) ADD_FAILURE() << error_line(error);
    return loaded;
  }

  std::unique_ptr<Node> started(const LoadedConfig& loaded) {
    auto node = Node::open(loaded, clock_, random_, log_);
    if (!node) {
      ADD_FAILURE() << node.error().detail;
      return nullptr;
    }
    node.value()->start();
    return std::move(node.value());
  }

  static std::string ask(const std::string& address, const std::string& head,
                         const std::string& body = "") {
    RawClient client(address);
    client.send(head + "Content-Length: " + std::to_string(body.size()) +
                "\r\nConnection: close\r\n\r\n" + body);
    return client.read_all();
  }
  static std::string get(const std::string& address, const std::string& path) {
    return ask(address, "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  }

  TemporaryDirectory directory_;
  const std::filesystem::path data_ = directory_.path() / "data";
  SystemClock clock_;
  SystemRandom random_;
  EventLog log_{(directory_.path() / "events.log").string(), LogLevel::info, clock_};
};

TEST_F(NodeTest, BlockGoesInAndComesOutAgainAfterARestart) {
  const std::string body = "a block of the node test";
  const std::string path = "/v1/blocks/" + block_id_of(as_bytes(body)).text();
  {
    const auto node = started(configuration());
    const std::string& address = node->http_addresses().at(0);
    EXPECT_THAT(ask(address, "PUT " + path + " HTTP/1.1\r\nHost: x\r\n", body),
                HasSubstr("HTTP/1.1 201"));
    EXPECT_THAT(get(address, path), HasSubstr("Cairn-Source: memory"));
    EXPECT_THAT(get(node->admin_address(), "/readyz"), HasSubstr("HTTP/1.1 200"));
    EXPECT_THAT(get(node->admin_address(), "/metrics"), HasSubstr("cairn_store_batches_total 1\n"));
    EXPECT_TRUE(node->drain());
  }
  const auto node = started(configuration());
  EXPECT_THAT(get(node->http_addresses().at(0), path), HasSubstr("\r\n\r\n" + body));
}

TEST_F(NodeTest, SiteServesItsFilesBesideTheApi) {
  const auto root = directory_.path() / "root";
  std::filesystem::create_directory(root);
  std::ofstream(root / "index.html") << "<!doctype html>home";
  const auto node = started(configuration({"site.root=" + root.string(), "site.headers=X-A: b"}));
  const std::string& address = node->http_addresses().at(0);
  EXPECT_THAT(get(address, "/"), HasSubstr("<!doctype html>home"));
  EXPECT_THAT(get(address, "/"), HasSubstr("X-A: b\r\n"));
  EXPECT_THAT(get(address, "/absent.js"), HasSubstr("HTTP/1.1 404"));
  EXPECT_THAT(get(address, "/v1/openapi.json"), HasSubstr("HTTP/1.1 200"));
}

TEST_F(NodeTest, DataDirectoryIsPrivateAndMendedWhenItWasNot) {
  { started(configuration()); }
  EXPECT_EQ(mode_of(data_), 0700U);
  ASSERT_EQ(::chmod(data_.c_str(), 0755), 0);
  const auto mended = prepare_data_directory(data_);
  ASSERT_TRUE(mended);
  EXPECT_THAT(mended.value(), HasSubstr("0700"));
  EXPECT_EQ(mode_of(data_), 0700U);
  EXPECT_THAT(prepare_data_directory(data_).value(), IsEmpty());
}

TEST_F(NodeTest, DirectoryWithOtherFilesIsRefusedAndLeftAsItIs) {
  std::filesystem::create_directory(data_);
  ASSERT_EQ(::chmod(data_.c_str(), 01777), 0);
  std::ofstream(data_ / "letter.txt") << "not a store";
  const auto node = Node::open(configuration(), clock_, random_, log_);
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().code, Errc::denied);
  EXPECT_EQ(node.error().detail,
            "data directory " + data_.string() +
                " holds other files (letter.txt); name a directory of its own");
  EXPECT_EQ(mode_of(data_), 0777U);
  std::filesystem::remove(data_ / "letter.txt");
  // The root of a disk's own, and a first start that was cut off.
  std::filesystem::create_directory(data_ / "lost+found");
  std::ofstream(data_ / "LOCK") << "1";
  EXPECT_TRUE(Node::open(configuration(), clock_, random_, log_));
  EXPECT_EQ(mode_of(data_), 0700U);
}

TEST_F(NodeTest, FileInPlaceOfTheDirectoryIsRefusedByName) {
  std::ofstream(data_) << "in the way";
  const auto node = Node::open(configuration(), clock_, random_, log_);
  ASSERT_FALSE(node);
  EXPECT_THAT(node.error().detail, HasSubstr(data_.string() + " is not a directory"));
}

TEST_F(NodeTest, SecondNodeOnTheSameDataIsRefused) {
  const auto first = started(configuration());
  const auto second = Node::open(configuration(), clock_, random_, log_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_THAT(second.error().detail, HasSubstr(data_.string()));
}

TEST_F(NodeTest, TakenPortIsToldBeforeTheStoreIsMade) {
  TemporaryDirectory elsewhere;
  const auto first = started(configuration());
  LoadedConfig loaded = configuration();
  loaded.config.node.data_dir = (elsewhere.path() / "data").string();
  loaded.config.listen.http = first->http_addresses();
  const auto second = Node::open(loaded, clock_, random_, log_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().detail, HasSubstr(first->http_addresses()[0] + " is in use"));
  EXPECT_FALSE(std::filesystem::exists(loaded.config.node.data_dir));
}

TEST_F(NodeTest, PlacementSeedFileIsReadAndNeverQuoted) {
  const auto file = directory_.path() / "seed";
  std::ofstream(file) << " 0123456789abcdef\n";
  EXPECT_EQ(read_placement_seed(file).value(), 0x0123456789abcdefU);
  std::ofstream(file) << "0123456789abcdeg";
  const auto bad = read_placement_seed(file);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().detail.find("0123456789"), std::string::npos);
  EXPECT_FALSE(read_placement_seed(directory_.path() / "absent"));
}

TEST_F(NodeTest, ReloadChangesTheCacheAndNamesWhatMustWait) {
  const auto node = started(configuration({"cache.memory=64MiB"}));
  const LoadedConfig next = configuration(
      {"cache.memory=16MiB", "cache.policy=s3-fifo", "limits.headers=50", "site.root=/"});
  EXPECT_THAT(node->reload(next), ::testing::ElementsAre("site[0].root", "limits.headers"));
  EXPECT_THAT(node->config_json(), HasSubstr("16MiB"));
  EXPECT_TRUE(node->drain());
  EXPECT_EQ(node->snapshot().cache.budget_bytes, 16 * kMiB);
}

TEST_F(NodeTest, ReloadedValuesCarryTheirNewOrigin) {
  const auto node = started(configuration());
  const LoadedConfig next = configuration({"cache.memory=16MiB", "limits.headers=50"});
  node->reload(next);
  EXPECT_THAT(node->config_json(), HasSubstr("\"cache.memory\":{\"value\":\"16MiB\",\"origin\":"
                                             "\"--set cache.memory\"}"));
  EXPECT_THAT(node->config_json(), HasSubstr("\"limits.headers\":{\"value\":100,\"origin\":"
                                             "\"default\"}"));
}

TEST_F(NodeTest, LogThatCannotBeOpenedIsNotShownAsInEffect) {
  const auto node = started(configuration());
  const LoadedConfig next = configuration({"log.events=/dev/null/e.log", "cache.memory=16MiB"});
  EXPECT_THAT(node->reload(next), ::testing::ElementsAre("log.events"));
  EXPECT_THAT(node->config_json(), HasSubstr("\"log.events\":{\"value\":\"stderr\""));
  EXPECT_THAT(node->config_json(), HasSubstr("16MiB"));
}

TEST_F(NodeTest, CoresShowThatTheyAreAlive) {
  const auto node = started(configuration());
  EXPECT_TRUE(node->pulse());
  // A whole answer of each listener lies behind the pulse that was posted before it.
  for (int tries = 0; tries < 1000 && !node->pulse(); ++tries) get(node->http_addresses()[0], "/");
  EXPECT_TRUE(node->snapshot().loops_alive);
}

TEST_F(NodeTest, NodeThatNeverStartedEndsQuietly) {
  const auto node = Node::open(configuration(), clock_, random_, log_);
  ASSERT_TRUE(node);
  EXPECT_TRUE(node.value()->drain());
}

TEST(ListenCheck, AddressesAreJudgedWithoutListening) {
  EXPECT_TRUE(check_listen_address("127.0.0.1:0"));
  EXPECT_EQ(check_listen_address("nonsense").error().code, Errc::malformed);
  // TEST-NET-1 belongs to no machine (RFC 5737).
  EXPECT_EQ(check_listen_address("192.0.2.1:8080").error().code, Errc::unavailable);
}

class NotifierTest : public ::testing::Test {
 protected:
  NotifierTest() : path_((directory_.path() / "notify").string()) {
    descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~NotifierTest() override { ::close(descriptor_); }

  std::string received() const {
    char text[256];
    const ssize_t size = ::recv(descriptor_, text, sizeof text, MSG_DONTWAIT);
    return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
  }

  TemporaryDirectory directory_;
  const std::string path_;
  int descriptor_ = -1;
};

TEST_F(NotifierTest, StatesAreSentAsDatagrams) {
  const ServiceNotifier notifier(path_, "", "");
  notifier.ready("serving");
  EXPECT_EQ(received(), "READY=1\nSTATUS=serving\n");
  notifier.stopping();
  EXPECT_EQ(received(), "STOPPING=1\n");
  EXPECT_FALSE(notifier.watchdog_interval());
}

TEST_F(NotifierTest, WatchdogIsDueTwiceInItsTimeAndOnlyOurs) {
  const std::string own = std::to_string(::getpid());
  EXPECT_EQ(ServiceNotifier(path_, "30000000", own).watchdog_interval(),
            std::chrono::milliseconds(15'000));
  EXPECT_FALSE(ServiceNotifier(path_, "30000000", "1").watchdog_interval());
  EXPECT_FALSE(ServiceNotifier(path_, "x", own).watchdog_interval());
}

TEST_F(NotifierTest, NobodyListeningIsNoError) {
  ServiceNotifier("", "", "").ready("x");
  ServiceNotifier(path_ + "-absent", "", "").ready("x");
  EXPECT_EQ(received(), "");
}

}  // namespace
}  // namespace cairn
