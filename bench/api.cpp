// What the API costs a request that is answered from memory: the rendering of the fields, and all
// of try_handle. Figures: docs/decisions/0001-heads-are-rendered-not-stored.md.
#include <benchmark/benchmark.h>

#include "crypto/hash.h"
#include "node/api/block_api.h"
#include "node/api/block_head.h"

namespace cairn {
namespace {

/// Answers every look-up at once with the same block.
class OneBlockStore final : public BlockStore {
 public:
  explicit OneBlockStore(Block block) : block_(std::move(block)) {}
  std::optional<Result<Found>> try_get(const BlockId&) override {
    return Result<Found>(Found{block_, Source::memory});
  }
  Task<Result<Found>> get(BlockId, Deadline) override { co_return Found{block_, Source::memory}; }
  Task<Result<BlockStat>> stat(BlockId, Deadline) override {
    co_return BlockStat{block_.size_bytes(), Source::memory};
  }
  Task<Result<Stored>> put(Block, Deadline) override { co_return Stored::held; }
  Task<std::vector<Result<Stored>>> put_many(std::vector<Block> blocks, Deadline) override {
    co_return std::vector<Result<Stored>>(blocks.size(), Result<Stored>(Stored::held));
  }
  Task<Result<std::vector<BlockId>>> missing(std::vector<BlockId>, Deadline) override {
    co_return std::vector<BlockId>{};
  }
  Task<Result<void>> erase(BlockId, Deadline) override { co_return ok(); }

 private:
  const Block block_;
};

Block sample_block() {
  const Bytes bytes(100, 'x');
  return Block::copy_of(block_id_of(bytes), bytes);
}

void render_head(benchmark::State& state) {
  const BlockId id = sample_block().id();
  http::FieldList fields;
  for (auto _ : state) {
    fields.clear();
    api::render_block_head(id, Source::memory, fields);
    benchmark::DoNotOptimize(fields.text().data());
    benchmark::ClobberMemory();
  }
  state.counters["head_bytes"] = static_cast<double>(fields.text().size());
}

/// What rendering is to be held against: the same bytes, ready-made, copied.
void copy_stored_head(benchmark::State& state) {
  http::FieldList stored;
  api::render_block_head(sample_block().id(), Source::memory, stored);
  http::FieldList fields;
  for (auto _ : state) {
    fields.clear();
    fields.add_lines(stored.text());
    benchmark::DoNotOptimize(fields.text().data());
    benchmark::ClobberMemory();
  }
}

void try_read_get(benchmark::State& state) {
  const Block block = sample_block();
  OneBlockStore store(block);
  ByteBudget budget(1 << 20);
  const SystemClock clock;
  const TokenKey tokens(NodeSecret(std::array<std::uint8_t, kSecretSize>{}));
  api::BlockApi api(store, budget, clock, tokens, {});
  const std::string target = "/v1/blocks/" + block.id().text();
  const std::vector<http::Field> fields{{"Host", "127.0.0.1:8080"}, {"Accept", "*/*"}};
  http::Request request;
  request.target = request.path = target;
  request.fields = fields;
  http::Response response;
  for (auto _ : state) {
    response.clear();
    const api::RouteMatch match = api::match_route(request.path);
    benchmark::DoNotOptimize(api.try_read(request, match.id, response));
    benchmark::ClobberMemory();
  }
}

BENCHMARK(render_head);
BENCHMARK(copy_stored_head);
BENCHMARK(try_read_get);

}  // namespace
}  // namespace cairn

BENCHMARK_MAIN();
