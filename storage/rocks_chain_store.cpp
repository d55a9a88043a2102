#include "storage/rocks_chain_store.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "crypto/hash.h"
#include "storage/index_entry.h"

namespace cairn {
namespace {

/// A page stops growing here; one link is given whatever its size.
constexpr std::size_t kPageBytes = std::size_t{4} << 20;

Error no_such_chain() {
  return fail(Errc::not_found, "no such chain");
}

Error damaged(const ChainId& chain) {
  return fail(Errc::corrupt, "the record of chain " + chain.text() + " is malformed");
}

Bytes to_bytes(std::string_view text) {
  const ByteView bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

RocksChainStore::RocksChainStore(Database& database, BlockWriter& writer, BlockingPool& checks,
                                 BlockingPool& reads, BlockHolds& holds, TrimList& trims,
                                 std::uint64_t placement_seed, const Clock& clock)
    : database_(database),
      writer_(writer),
      checks_(checks),
      reads_(reads),
      holds_(holds),
      trims_(trims),
      placement_seed_(placement_seed),
      clock_(clock) {
  load_trims();
}

/// What the last process had still to remove.
void RocksChainStore::load_trims() {
  const std::unique_ptr<rocksdb::Iterator> kept(
      database_.db().NewIterator(rocksdb::ReadOptions(), database_.meta()));
  for (kept->Seek(to_slice(kTrimPrefix)); kept->Valid(); kept->Next()) {
    const std::string_view name = to_view(kept->key());
    if (!name.starts_with(kTrimPrefix)) break;
    const auto chain = ChainKeys::chain_of(name.substr(kTrimPrefix.size()));
    if (chain) trims_.note(*chain);
  }
}

RocksChainStore::~RocksChainStore() {
  // The writer may still hold what it has just written; it lets go as soon as it looks at the next.
  changes_.close();
  while (!changes_.wait_empty(std::chrono::seconds(1))) {
  }
}

ChainKeys RocksChainStore::keys_of(const ChainId& chain) const {
  return ChainKeys(slot_of(chain, placement_seed_), chain);
}

IndexKey RocksChainStore::key_of(const BlockId& block) const {
  return IndexKey(slot_of(block, placement_seed_), block);
}

Result<ChainState> RocksChainStore::read_state(const ChainId& chain) const {
  std::string raw;
  const rocksdb::Status status =
      database_.db().Get(rocksdb::ReadOptions(), database_.chain(), keys_of(chain).state(), &raw);
  if (status.IsNotFound()) return no_such_chain();
  if (!status.ok()) return to_error(status);
  auto state = decode_chain_state(raw, chain);
  if (!state) return damaged(chain);
  return std::move(*state);
}

std::optional<Result<ChainState>> RocksChainStore::try_read_state(const ChainId& chain) const {
  rocksdb::ReadOptions options;
  options.read_tier = rocksdb::kBlockCacheTier;
  std::string raw;
  const rocksdb::Status status =
      database_.db().Get(options, database_.chain(), keys_of(chain).state(), &raw);
  if (status.IsIncomplete()) return std::nullopt;
  if (status.IsNotFound()) return Result<ChainState>(no_such_chain());
  if (!status.ok()) return std::nullopt;
  auto state = decode_chain_state(raw, chain);
  if (!state) return Result<ChainState>(damaged(chain));
  return Result<ChainState>(std::move(*state));
}

Task<Result<ChainHead>> RocksChainStore::head(ChainId chain, Deadline deadline) {
  if (const auto at_once = try_read_state(chain)) {
    if (at_once->has_error()) co_return at_once->error();
    co_return head_of(at_once->value());
  }
  auto ask = [this, chain]() -> Result<ChainHead> {
    CAIRN_TRY(const ChainState state, read_state(chain));
    return head_of(state);
  };
  co_return co_await reads_.run(std::move(ask), deadline);
}

Task<Result<Bytes>> RocksChainStore::manifest(ChainId chain, Deadline deadline) {
  auto ask = [this, chain]() -> Result<Bytes> {
    std::string raw;
    const rocksdb::Status status = database_.db().Get(rocksdb::ReadOptions(), database_.chain(),
                                                      keys_of(chain).manifest(), &raw);
    if (status.IsNotFound()) return no_such_chain();
    if (!status.ok()) return to_error(status);
    Bytes manifest = to_bytes(raw);
    if (chain_id_of(manifest) != chain) return damaged(chain);
    return manifest;
  };
  co_return co_await reads_.run(std::move(ask), deadline);
}

/// Travels with a write: the chain stays locked until it has happened or never will, whatever
/// became of the caller. Else another change could be checked against a state that is about to
/// pass.
struct RocksChainStore::Change {
  Gate::Pass pass;  ///< Goes last: with it the store may be destroyed.
  ChainLocks::Guard guard;
  ChainFollowers& followers;
  TrimList& trims;
  ChainId chain;
  BlockHolds::Hold hold{};
  bool drops = false;

  Change(RocksChainStore& store, ChainLocks::Guard lock, const ChainId& of)
      : pass(store.changes_.enter()),
        guard(std::move(lock)),
        followers(store.followers_),
        trims(store.trims_),
        chain(of) {}
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;
  ~Change() {
    if (drops) trims.note(chain);
    followers.notify(chain);
  }
};

Task<Result<Stored>> RocksChainStore::write(std::shared_ptr<Change> change, WriteRequest request,
                                            Deadline deadline) {
  request.until_settled = std::move(change);
  std::vector<WriteRequest> requests;
  requests.push_back(std::move(request));
  auto results = co_await writer_.submit(std::move(requests), deadline);
  co_return std::move(results.front());
}

Result<WriteRequest> RocksChainStore::prepare_create(const Bytes& raw) const {
  CAIRN_TRY(const Manifest manifest, parse_manifest(raw));
  const ChainId chain = chain_id_of(raw);
  const auto known = read_state(chain);
  if (known.has_value()) {
    if (known.value().removed) return fail(Errc::conflict, "the chain was deleted");
    return WriteRequest{};
  }
  if (known.error().code != Errc::not_found) return known.error();
  const ChainKeys keys = keys_of(chain);
  WriteRequest request;
  request.kind = WriteRequest::Kind::records;
  const auto add = [&request](std::string key, std::string value) {
    request.records.push_back(
        {RecordChange::Family::chain, std::move(key), std::optional(std::move(value))});
  };
  add(keys.manifest(), std::string(as_text(raw)));
  add(keys.state(), encode_chain_state(ChainState::of(manifest, chain)));
  return request;
}

Task<Result<Stored>> RocksChainStore::create(Bytes manifest, Deadline deadline) {
  const ChainId chain = chain_id_of(manifest);
  auto guard = co_await locks_.lock(chain, deadline);
  if (guard.has_error()) co_return guard.error();
  auto check = [this, raw = std::move(manifest)]() -> Result<WriteRequest> {
    return prepare_create(raw);
  };
  auto request = co_await checks_.run(std::move(check), deadline);
  if (request.has_error()) co_return request.error();
  if (request.value().records.empty()) co_return Stored::held;
  auto change = std::make_shared<Change>(*this, std::move(guard).value(), chain);
  const auto written = co_await write(std::move(change), std::move(request).value(), deadline);
  if (written.has_value()) created_.fetch_add(1, std::memory_order_relaxed);
  co_return written;
}

Result<std::vector<BlockId>> RocksChainStore::not_held(const std::vector<BlockId>& refs,
                                                       const BlockHolds::Hold& hold) const {
  std::vector<BlockId> out;
  std::string raw;
  for (const BlockId& ref : refs) {
    const rocksdb::Status status = database_.db().Get(rocksdb::ReadOptions(), database_.index(),
                                                      to_slice(key_of(ref).view()), &raw);
    if (status.ok() && !hold.leaving(ref)) continue;
    if (!status.ok() && !status.IsNotFound()) return to_error(status);
    if (out.size() < kMaxIdsPerCall) out.push_back(ref);
  }
  return out;
}

void RocksChainStore::add_changes(const ChainState& before, std::span<const NewLink> links,
                                  Prepared& out) const {
  const ChainKeys keys = keys_of(before.chain);
  out.request.kind = WriteRequest::Kind::records;
  const auto change = [&out](RecordChange::Family family, std::string key,
                             std::optional<std::string> value) {
    out.request.records.push_back({family, std::move(key), std::move(value)});
  };
  for (const NewLink& added : links) {
    const LinkFields& fields = added.link.fields();
    change(RecordChange::Family::chain, keys.link(fields.seq),
           std::string(as_text(added.link.raw())));
    for (std::size_t i = 0; i < added.link.ref_count(); ++i) {
      change(RecordChange::Family::pin,
             pin_key(key_of(added.link.ref(i)), before.chain, fields.seq), std::string());
    }
    const bool drops = fields.earlier == Earlier::dropped || fields.type == LinkType::remove;
    if (drops) out.request.room = Room::spared;
    // A rotate link from before the first that is kept is superfluous once there is a newer one.
    out.drops = out.drops || drops || fields.type == LinkType::rotate;
  }
  change(RecordChange::Family::chain, keys.state(), encode_chain_state(out.after));
  if (out.drops) change(RecordChange::Family::meta, trim_key(keys), std::string());
}

Result<RocksChainStore::Prepared> RocksChainStore::prepare_append(
    const ChainId& chain, const std::vector<Bytes>& links) const {
  CAIRN_TRY(const ChainState state, read_state(chain));
  const ChainKeys keys = keys_of(chain);
  const auto held = [&](std::uint64_t seq) -> std::optional<LinkId> {
    if (seq == state.seq) return state.head;
    std::string raw;
    const rocksdb::Status status =
        database_.db().Get(rocksdb::ReadOptions(), database_.chain(), keys.link(seq), &raw);
    if (!status.ok()) return std::nullopt;
    return link_id_of(as_bytes(raw));
  };
  CAIRN_TRY(const AppendPlan plan, plan_append(state, links, held));
  Prepared out;
  out.after = plan.after;
  out.new_links = plan.links.size();
  if (plan.links.empty()) return out;
  const std::vector<BlockId> refs = refs_of(plan.links);
  // Before they are looked up: from here on none of them is collected.
  out.hold = holds_.take(refs);
  CAIRN_TRY(auto missing, not_held(refs, out.hold));
  out.missing = std::move(missing);
  if (out.missing.empty()) add_changes(state, plan.links, out);
  return out;
}

Task<Appended> RocksChainStore::append(ChainId chain, std::vector<Bytes> links, Deadline deadline) {
  if (links.empty() || links.size() > kMaxLinksPerCall) {
    co_return Appended{fail(Errc::malformed, "an append has 1 to 256 links"), {}, {}};
  }
  auto guard = co_await locks_.lock(chain, deadline);
  if (guard.has_error()) co_return Appended{guard.error(), {}, {}};
  auto check = [this, chain, links = std::move(links)]() -> Result<Prepared> {
    return prepare_append(chain, links);
  };
  auto prepared = co_await checks_.run(std::move(check), deadline);
  if (prepared.has_error()) {
    Appended refused{prepared.error(), {}, {}};
    if (prepared.error().code == Errc::conflict) {
      conflicts_.fetch_add(1, std::memory_order_relaxed);
      const auto now = co_await head(chain, deadline);
      if (now.has_error()) co_return Appended{now.error(), {}, {}};
      refused.head = now.value();
    }
    co_return refused;
  }
  Prepared& ready = prepared.value();
  if (!ready.missing.empty()) {
    co_return Appended{fail(Errc::not_found, "the links refer to blocks that are not held"),
                       {},
                       std::move(ready.missing)};
  }
  const ChainHead after = head_of(ready.after);
  if (ready.new_links > 0) {
    auto change = std::make_shared<Change>(*this, std::move(guard).value(), chain);
    change->hold = std::move(ready.hold);
    change->drops = ready.drops;
    if (ready.drops) trims_.note(chain);
    const auto written = co_await write(std::move(change), std::move(ready.request), deadline);
    if (written.has_error()) co_return Appended{written.error(), {}, {}};
    links_.fetch_add(ready.new_links, std::memory_order_relaxed);
  }
  appends_.fetch_add(1, std::memory_order_relaxed);
  co_return Appended{ready.new_links > 0 ? Stored::created : Stored::held, after, {}};
}

Result<LinkPage> RocksChainStore::read_links(const ChainId& chain, std::uint64_t from,
                                             std::size_t limit) const {
  // One view of the chain: links that are dropped meanwhile are still there.
  rocksdb::ManagedSnapshot snapshot(&database_.db());
  rocksdb::ReadOptions options;
  options.snapshot = snapshot.snapshot();
  const ChainKeys keys = keys_of(chain);
  std::string raw;
  const rocksdb::Status status = database_.db().Get(options, database_.chain(), keys.state(), &raw);
  if (status.IsNotFound()) return no_such_chain();
  if (!status.ok()) return to_error(status);
  const auto state = decode_chain_state(raw, chain);
  if (!state) return damaged(chain);
  LinkPage page;
  page.head = head_of(*state);
  const bool rotate_alone = from == state->rotated_at && from < state->first_kept && from > 0;
  page.first = rotate_alone ? from : std::max(from, state->first_kept);
  const std::uint64_t end = rotate_alone ? from : state->seq;
  std::size_t bytes = 0;
  for (std::uint64_t seq = page.first; seq <= end && page.links.size() < limit; ++seq) {
    const rocksdb::Status got =
        database_.db().Get(options, database_.chain(), keys.link(seq), &raw);
    if (got.IsNotFound()) return damaged(chain);
    if (!got.ok()) return to_error(got);
    bytes += raw.size();
    if (!page.links.empty() && bytes > kPageBytes) break;
    page.links.push_back(to_bytes(raw));
  }
  return page;
}

Task<Result<LinkPage>> RocksChainStore::links(ChainId chain, std::uint64_t from, std::size_t limit,
                                              Deadline deadline) {
  const std::size_t most = std::clamp<std::size_t>(limit, 1, kMaxLinksPerCall);
  auto ask = [this, chain, from, most]() -> Result<LinkPage> {
    return read_links(chain, from, most);
  };
  co_return co_await reads_.run(std::move(ask), deadline);
}

Task<Result<ChainHead>> RocksChainStore::wait_beyond(ChainId chain, std::uint64_t seq,
                                                     Deadline deadline) {
  for (;;) {
    const std::uint64_t seen = followers_.growth(chain);
    const auto now = co_await head(chain, clock_.in(std::chrono::seconds(10)));
    if (now.has_error() || now.value().seq > seq || clock_.mono() >= deadline) co_return now;
    const auto news = co_await followers_.wait(chain, seen, deadline);
    if (news == ChainFollowers::News::refused) {
      co_return fail(Errc::overloaded, "too many follow chains; try again");
    }
    if (news == ChainFollowers::News::none) {
      co_return co_await head(chain, clock_.in(std::chrono::seconds(10)));
    }
  }
}

void RocksChainStore::expire() {
  const MonoTime now = clock_.mono();
  locks_.expire(now);
  followers_.expire(now);
}

RocksChainStoreStats RocksChainStore::stats() const {
  RocksChainStoreStats out;
  out.created = created_.load(std::memory_order_relaxed);
  out.appends = appends_.load(std::memory_order_relaxed);
  out.links = links_.load(std::memory_order_relaxed);
  out.conflicts = conflicts_.load(std::memory_order_relaxed);
  out.followers = followers_.waiting();
  return out;
}

}  // namespace cairn
