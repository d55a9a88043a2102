#include "tests/node/api/api_harness.h"

#include <algorithm>
#include <cstring>

#include "crypto/hash.h"
#include "node/api/frames.h"

namespace cairn::api {
namespace {

Task<bool> answer(SiteApi& api, const http::Request& request, http::BodyReader& body,
                  http::Response& response) {
  co_await api.handle(request, body, response);
  co_return true;
}

Task<bool> collect(http::BodySource& source, std::string& out) {
  while (true) {
    const Result<ByteView> part = co_await source.next();
    if (!part) co_return false;
    if (part.value().empty()) co_return true;
    out.append(as_text(part.value()));
  }
}

}  // namespace

Task<Result<std::size_t>> ScriptedBody::read(MutableByteView into) {
  largest_read_ = std::max(largest_read_, into.size());
  const std::size_t count = std::min({part_bytes_, into.size(), bytes_.size() - at_});
  if (count == 0 && failure_) co_return fail(*failure_, "the test wants it so");
  std::memcpy(into.data(), bytes_.data() + at_, count);
  at_ += count;
  co_return count;
}

ApiTest::ApiTest() {
  use(options());
}

ApiTest::~ApiTest() {
  EXPECT_EQ(budget_.used_bytes(), 0U) << "a share of the budget was not given back";
}

ApiOptions ApiTest::options() {
  ApiOptions options;
  options.block_bytes = kBlockLimit;
  return options;
}

void ApiTest::use(const ApiOptions& options) {
  api_ = std::make_unique<SiteApi>(world(store_, budget_), options);
}

void ApiTest::use(BlockStore& blocks, ByteBudget& bodies) {
  api_ = std::make_unique<SiteApi>(world(blocks, bodies), options());
}

Answer ApiTest::call(Call call) {
  Answer out;
  with_request(call, [&](const http::Request& request) {
    http::Response response;
    std::optional<std::uint64_t> length;
    if (request.framing == http::Framing::length) length = request.content_length;
    ScriptedBody body(call.body, call.part_bytes, length, call.body_failure);
    out.at_once = api_->try_handle(request, response);
    if (!out.at_once) run_task(io_, answer(*api_, request, body, response));
    out.status = response.status;
    out.fields = response.fields;
    out.head_length = response.head_length;
    out.answered_by = response.answered_by;
    out.read_bytes = body.read_bytes();
    out.largest_read = body.largest_read();
    for (const http::Piece& piece : response.pieces) out.body += as_text(piece.bytes());
    if (response.source) {
      EXPECT_TRUE(response.pieces.empty());
      EXPECT_TRUE(run_task(io_, collect(*response.source, out.body)));
    }
  });
  const std::string path = call.target.substr(0, call.target.find('?'));
  const Contract& contract = Contract::served();
  const auto outcome = contract.check(http::name_of(call.method), path, out.status, out.fields);
  if (outcome) outcomes_.insert(*outcome);
  EXPECT_FALSE(out.answered_by.empty());
  if (out.status >= 400) {
    EXPECT_EQ(out.field("Content-Type"), "application/problem+json");
    EXPECT_TRUE(out.body.starts_with("{\"type\":\"/problems/")) << out.body;
    EXPECT_NE(out.body.find(",\"hint\":\""), std::string::npos) << out.body;
  }
  return out;
}

Answer ApiTest::get(const BlockId& id, std::vector<std::pair<std::string, std::string>> fields) {
  return call({.target = "/v1/blocks/" + id.text(), .fields = std::move(fields)});
}

Answer ApiTest::post(std::string path, std::string body,
                     std::vector<std::pair<std::string, std::string>> fields) {
  return call({.method = http::Method::post,
               .target = std::move(path),
               .fields = std::move(fields),
               .body = std::move(body)});
}

BlockId ApiTest::hold(std::string_view bytes) {
  const BlockId id = block_id_of(as_bytes(bytes));
  const Block block = Block::copy_of(id, as_bytes(bytes));
  EXPECT_TRUE(run_task(io_, store_.put(block, clock_.in(std::chrono::seconds(1)))).has_value());
  return id;
}

void ApiTest::make(const ChainWorld& world) {
  const Answer answer = call({.method = http::Method::put,
                              .target = path_of(world),
                              .body = std::string(as_text(world.manifest()))});
  EXPECT_EQ(answer.status, 201) << answer.body;
}

std::string frame(std::string_view bytes) {
  const auto length = frame_length_bytes(static_cast<std::uint32_t>(bytes.size()));
  return std::string(as_text(length)) + std::string(bytes);
}

std::string id_list(const std::vector<BlockId>& ids) {
  std::string json = "{\"ids\":[";
  for (const BlockId& id : ids) {
    if (json.back() != '[') json += ',';
    json += '"' + id.text() + '"';
  }
  return json + "]}";
}

}  // namespace cairn::api
