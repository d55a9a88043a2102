#include "node/cli/chain_client.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "base/limits.h"
#include "base/little_endian.h"
#include "crypto/receipt.h"
#include "node/cli/run_to_end.h"

namespace cairn::cli {
namespace {

namespace http = boost::beast::http;
namespace json = boost::json;

/// Less than what the node waits at most, and than the client's own stall.
constexpr int kWaitSeconds = 25;
constexpr std::size_t kMostNamedRefs = 5;

Error not_a_site() {
  return fail(Errc::malformed, "the answer is not one of a Cairn site");
}

Result<json::object> object_of(const Reply& reply) {
  boost::system::error_code error;
  json::value parsed = json::parse(
      json::string_view(reinterpret_cast<const char*>(reply.body.data()), reply.body.size()),
      error);
  if (error || !parsed.is_object()) return not_a_site();
  return std::move(parsed.as_object());
}

std::optional<std::uint64_t> number_at(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return std::nullopt;
  boost::system::error_code error;
  const auto number = value->to_number<std::uint64_t>(error);
  return error ? std::nullopt : std::optional(number);
}

std::string_view text_at(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->as_string().data(), value->as_string().size()};
}

std::optional<ClaimedHead> head_of(const json::object& object, const ChainId& chain) {
  const auto seq = number_at(object, "seq");
  const auto link = LinkId::from_text(text_at(object, "link"));
  const auto trimmed = number_at(object, "trimmed_before");
  const auto rotated = number_at(object, "rotated_at");
  if (!seq || !link || !trimmed || !rotated || text_at(object, "chain") != chain.text()) {
    return std::nullopt;
  }
  const json::value* deleted = object.if_contains("deleted");
  return ClaimedHead{{*seq, *link},
                     *trimmed,
                     *rotated,
                     deleted != nullptr && deleted->is_bool() && deleted->as_bool()};
}

std::string with_missing(const Reply& reply) {
  std::string words = reply.words();
  const auto object = object_of(reply);
  const json::value* ids = object ? object.value().if_contains("missing") : nullptr;
  if (ids == nullptr || !ids->is_array()) return words;
  std::size_t named = 0;
  for (const json::value& id : ids->as_array()) {
    if (named++ == kMostNamedRefs) break;
    words.append(named == 1 ? ": " : ", ");
    words.append(id.is_string() ? std::string_view(id.as_string().c_str()) : "?");
  }
  if (ids->as_array().size() > kMostNamedRefs) {
    words.append(" and ").append(std::to_string(ids->as_array().size() - kMostNamedRefs));
    words.append(" more");
  }
  return words;
}

Error chain_error_of(const Reply& reply) {
  const bool no_chain =
      as_text(reply.body).find("\"/problems/no-such-chain\"") != std::string_view::npos;
  switch (reply.status) {
    case 404:
      return no_chain ? fail(Errc::not_found, "the node has no such chain") : error_of(reply);
    case 409: return fail(Errc::conflict, reply.words());
    case 424: return fail(Errc::not_found, with_missing(reply));
    default: return error_of(reply);
  }
}

/// In a receipt stands what was signed; a node that signs nothing is no node.
Result<CheckedReceipt> receipt_of(const Reply& reply, const ChainId& chain) {
  CAIRN_TRY(const json::object object, object_of(reply));
  const auto seq = number_at(object, "seq");
  const auto link = LinkId::from_text(text_at(object, "link"));
  const auto epoch = number_at(object, "epoch");
  const auto time = number_at(object, "time");
  const auto node = from_base64url(text_at(object, "node"));
  const auto signature = from_base64url(text_at(object, "signature"));
  const auto key = node ? PublicKey::from_bytes(*node) : std::nullopt;
  const auto signed_with = signature ? Signature::from_bytes(*signature) : std::nullopt;
  if (!seq || !link || !epoch || !time || !key || !signed_with) return not_a_site();
  const Receipt receipt{chain, *seq, *link, static_cast<std::uint32_t>(*epoch),
                        static_cast<WallTime>(*time)};
  if (!verify(*key, receipt, *signed_with)) {
    return fail(Errc::malformed, "the receipt is not signed by the node that it names");
  }
  return CheckedReceipt{{*seq, *link}, std::string(as_text(reply.body))};
}

}  // namespace

Bytes link_frames(std::span<const Bytes> links) {
  Bytes out;
  std::size_t size = 0;
  for (const Bytes& link : links) size += sizeof(std::uint32_t) + link.size();
  out.reserve(size);
  for (const Bytes& link : links) {
    append_le(static_cast<std::uint32_t>(link.size()), out);
    out.insert(out.end(), link.begin(), link.end());
  }
  return out;
}

std::optional<std::vector<Bytes>> split_link_frames(ByteView body) {
  std::vector<Bytes> out;
  std::string_view rest = as_text(body);
  while (!rest.empty()) {
    std::uint32_t length = 0;
    if (!take_le(rest, length) || length > rest.size() || out.size() == kMaxLinksPerCall) {
      return std::nullopt;
    }
    const ByteView link = as_bytes(rest.substr(0, length));
    out.emplace_back(link.begin(), link.end());
    rest.remove_prefix(length);
  }
  return out;
}

ChainClient::ChainClient(const ServerAddress& server, const ChainId& chain,
                         std::chrono::milliseconds patience)
    : chain_(chain),
      contact_{patience},
      http_(loop_.get_executor(), server, contact_),
      blocks_(loop_.get_executor(), server, contact_) {}

void ChainClient::show_token(const std::optional<FetchToken>& token) {
  authorization_ = token ? "Cairn-Fetch " + to_base64url(token->view()) : "";
}

Result<Reply> ChainClient::send(Call call) {
  call.target.insert(0, "/v1/chains/" + chain_.text());
  if (!authorization_.empty()) call.fields.emplace_back("Authorization", authorization_);
  return run_to_end(loop_, http_.send(call));
}

Result<Stored> ChainClient::create(Bytes manifest) {
  CAIRN_TRY(const Reply reply,
            send({http::verb::put, "", "application/octet-stream", std::move(manifest)}));
  if (reply.status != 200 && reply.status != 201) return chain_error_of(reply);
  return reply.status == 201 ? Stored::created : Stored::held;
}

Result<Bytes> ChainClient::manifest() {
  CAIRN_TRY(Reply reply, send({http::verb::get, "/manifest", {}, {}}));
  if (reply.status != 200) return chain_error_of(reply);
  return std::move(reply.body);
}

Result<std::optional<ClaimedHead>> ChainClient::read_head(Call call) {
  CAIRN_TRY(const Reply reply, send(std::move(call)));
  if (reply.status == 304) return std::optional<ClaimedHead>();
  if (reply.status != 200) return chain_error_of(reply);
  CAIRN_TRY(const json::object object, object_of(reply));
  const auto head = head_of(object, chain_);
  if (!head) return not_a_site();
  return head;
}

Result<ClaimedHead> ChainClient::head() {
  CAIRN_TRY(const std::optional<ClaimedHead> head, read_head({http::verb::get, "", {}, {}}));
  if (!head) return not_a_site();
  return *head;
}

Result<std::optional<ClaimedHead>> ChainClient::wait_beyond(const ChainPosition& known) {
  Call call{http::verb::get, "", {}, {}};
  call.fields = {{"Prefer", "wait=" + std::to_string(kWaitSeconds)},
                 {"If-None-Match", "\"" + known.link.text() + "\""}};
  return read_head(std::move(call));
}

Result<std::vector<Bytes>> ChainClient::links(std::uint64_t from, std::size_t limit) {
  CAIRN_TRY(const Reply reply,
            send({http::verb::get,
                  "/links?from=" + std::to_string(from) + "&limit=" + std::to_string(limit),
                  {},
                  {}}));
  if (reply.status != 200) return chain_error_of(reply);
  auto links = split_link_frames(reply.body);
  if (!links) return fail(Errc::malformed, "the node's page of links is cut");
  return std::move(*links);
}

Result<CheckedReceipt> ChainClient::append(std::span<const Bytes> links) {
  CAIRN_TRY(const Reply reply,
            send({http::verb::post, "/links", "application/vnd.cairn.links", link_frames(links)}));
  if (reply.status != 200 && reply.status != 201) return chain_error_of(reply);
  return receipt_of(reply, chain_);
}

Result<std::vector<BlockId>> ChainClient::missing(std::span<const BlockId> ids) {
  std::vector<BlockId> out;
  while (!ids.empty()) {
    const auto some = ids.first(std::min(ids.size(), kMaxIdsPerCall));
    CAIRN_TRY(const std::vector<BlockId> lacking,
              run_to_end(loop_, blocks_.missing({some.begin(), some.end()})));
    out.insert(out.end(), lacking.begin(), lacking.end());
    ids = ids.subspan(some.size());
  }
  return out;
}

}  // namespace cairn::cli
