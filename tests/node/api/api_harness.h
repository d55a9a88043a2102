// Calls a SiteApi as a transport would, without sockets, and holds every answer against the
// contract that the API itself serves.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "crypto/random.h"
#include "node/api/site_api.h"
#include "tests/conformance/chain_world.h"
#include "tests/fakes/memory_account_store.h"
#include "tests/fakes/memory_block_store.h"
#include "tests/fakes/memory_chain_store.h"
#include "tests/fakes/run_task.h"
#include "tests/node/api/contract.h"

namespace cairn::api {

class HandClock final : public Clock {
 public:
  MonoTime mono() const override { return MonoTime(std::chrono::hours(1)) + passed_; }
  WallTime wall() const override { return WallTime{1'700'000'000'000 + passed_.count()}; }
  void pass(std::chrono::milliseconds time) { passed_ += time; }

 private:
  std::chrono::milliseconds passed_{0};
};

/// A body that arrives in parts of `part_bytes`, and ends with `failure` where one is given.
class ScriptedBody final : public http::BodyReader {
 public:
  ScriptedBody(std::string bytes, std::size_t part_bytes, std::optional<std::uint64_t> length,
               std::optional<Errc> failure)
      : bytes_(std::move(bytes)), part_bytes_(part_bytes), length_(length), failure_(failure) {}

  std::optional<std::uint64_t> length() const override { return length_; }
  Task<Result<std::size_t>> read(MutableByteView into) override;
  /// Bytes that were asked for.
  std::size_t read_bytes() const { return at_; }
  std::size_t largest_read() const { return largest_read_; }

 private:
  const std::string bytes_;
  const std::size_t part_bytes_;
  const std::optional<std::uint64_t> length_;
  const std::optional<Errc> failure_;
  std::size_t at_ = 0;
  std::size_t largest_read_ = 0;
};

struct Call {
  http::Method method = http::Method::get;
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::string body = {};
  http::Framing framing = http::Framing::length;
  std::size_t part_bytes = 1000;
  std::optional<Errc> body_failure = {};
  /// In place of the body's own length.
  std::optional<std::uint64_t> declared = {};
};

struct Answer {
  std::uint16_t status = 0;
  http::FieldList fields;
  std::string body;
  std::optional<std::uint64_t> head_length;
  std::string answered_by;
  bool at_once = false;  ///< try_handle answered.
  std::size_t read_bytes = 0;
  std::size_t largest_read = 0;

  std::string field(std::string_view name) const { return std::string(fields.find(name)); }
  bool is_problem(std::string_view type) const {
    return body.starts_with("{\"type\":\"/problems/" + std::string(type) + "\"");
  }
};

class ApiTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kBlockLimit = 100'000;

  ApiTest();
  ~ApiTest() override;

  /// Makes the API anew.
  void use(const ApiOptions& options);
  /// With another store of blocks, or another budget for bodies.
  void use(BlockStore& blocks, ByteBudget& bodies);
  static ApiOptions options();
  Answer call(Call call);
  Answer get(const BlockId& id, std::vector<std::pair<std::string, std::string>> fields = {});
  Answer post(std::string path, std::string body,
              std::vector<std::pair<std::string, std::string>> fields = {});
  BlockId hold(std::string_view bytes);
  /// Everything that an API is put together of.
  ApiWorld world(BlockStore& blocks, ByteBudget& bodies) {
    return {blocks,    chains_,
            receipts_, bodies,
            clock_,    {accounts_, tokens_, challenges_, used_, by_client_, by_handle_, random_}};
  }
  /// Puts the chain's manifest.
  void make(const ChainWorld& world);
  static std::string path_of(const ChainWorld& world) { return "/v1/chains/" + world.id().text(); }
  /// Makes the request of `call` and hands it to `use`.
  template <class Use>
  void with_request(const Call& call, Use use_request) {
    std::vector<http::Field> fields;
    for (const auto& [name, value] : call.fields) fields.push_back({name, value});
    http::Request request;
    request.method = call.method;
    request.target = call.target;
    const std::size_t mark = std::min(request.target.find('?'), request.target.size());
    request.path = request.target.substr(0, mark);
    if (mark < request.target.size()) request.query = request.target.substr(mark + 1);
    request.host = request.authority = "site.test";
    request.peer = "192.0.2.1";
    request.fields = fields;
    const bool sends = call.method == http::Method::put || call.method == http::Method::post;
    request.framing = sends ? call.framing : http::Framing::none;
    request.content_length = call.declared.value_or(call.body.size());
    use_request(request);
  }

  /// (method, path of the contract, status) of every answer so far.
  std::set<Contract::Outcome> outcomes_;
  HandClock clock_;
  IoContext io_;
  MemoryBlockStore store_{clock_, Source::memory};
  MemoryChainStore chains_{store_, clock_};
  ByteBudget budget_{std::size_t{8} << 20};
  const NodeSecret secret_{std::array<std::uint8_t, kSecretSize>{7}};
  ReceiptKey receipts_{secret_};
  TokenKey tokens_{secret_};
  ChallengeKey challenges_{secret_};
  SystemRandom random_;
  MemoryAccountStore accounts_;
  UsedNonces used_;
  RateLimiter by_client_{0, clock_, random_};
  RateLimiter by_handle_{0, clock_, random_};
  std::unique_ptr<SiteApi> api_;
};

/// `bytes` as a frame of a batch.
std::string frame(std::string_view bytes);

/// {"ids":["…"]} of the ids.
std::string id_list(const std::vector<BlockId>& ids);

}  // namespace cairn::api
