#include "storage/chain_check.h"

#include <memory>
#include <utility>

#include "crypto/hash.h"
#include "crypto/manifest.h"

namespace cairn {
namespace {

constexpr std::size_t kPrefixBytes = 2 + ChainId::kSize;
/// Slot and id of the block, chain, seq.
constexpr std::size_t kPinBytes = 2 + BlockId::kSize + ChainId::kSize + sizeof(std::uint64_t);

Slot slot_in(std::string_view prefix) {
  return static_cast<Slot>((static_cast<std::uint8_t>(prefix[0]) << 8U) |
                           static_cast<std::uint8_t>(prefix[1]));
}

std::unique_ptr<rocksdb::Iterator> iterate(Database& database,
                                           rocksdb::ColumnFamilyHandle* family) {
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  return std::unique_ptr<rocksdb::Iterator>(database.db().NewIterator(read, family));
}

}  // namespace

ChainCheck::ChainCheck(Database& database, std::uint64_t placement_seed, bool repair, Tell tell,
                       GoOn go_on)
    : database_(database),
      seed_(placement_seed),
      repair_(repair),
      tell_(std::move(tell)),
      go_on_(std::move(go_on)) {}

Result<ChainCheck::Counts> ChainCheck::run() {
  const auto records = iterate(database_, database_.chain());
  for (records->SeekToFirst(); records->Valid() && !interrupted_; records->Next()) {
    CAIRN_TRY(check_record(to_view(records->key()), to_view(records->value())));
  }
  if (!records->status().ok()) return to_error(records->status());
  if (interrupted_) return counts_;
  end_chain();
  CAIRN_TRY(check_pins());
  return counts_;
}

void ChainCheck::damaged(std::string detail) {
  if (now_.broken) return;
  now_.broken = true;
  tell_(Fault::bad_chain, now_.id.text(), std::move(detail), false);
}

Result<bool> ChainCheck::has(rocksdb::ColumnFamilyHandle* family, std::string_view key) {
  rocksdb::PinnableSlice value;
  const auto status = database_.db().Get(rocksdb::ReadOptions(), family, to_slice(key), &value);
  if (!status.ok() && !status.IsNotFound()) return to_error(status);
  return status.ok();
}

Result<void> ChainCheck::check_record(std::string_view key, std::string_view value) {
  const std::string_view prefix = key.substr(0, kPrefixBytes);
  const auto chain = ChainKeys::chain_of(prefix);
  if (!chain || key.size() == kPrefixBytes) {
    tell_(Fault::bad_chain, to_hex(as_bytes(key)), "a key that names no chain", false);
    return ok();
  }
  if (now_.prefix != prefix) {
    end_chain();
    now_ =
        Current{.prefix = std::string(prefix), .id = *chain, .state = {}, .walk = {}, .last = {}};
    ++counts_.chains;
    if (slot_in(prefix) != slot_of(*chain, seed_))
      damaged("it lies under another slot than its own");
  }
  const ChainKeys keys(slot_in(prefix), *chain);
  if (key == keys.manifest()) {
    const auto manifest = parse_manifest(as_bytes(value));
    if (!manifest || chain_id_of(as_bytes(value)) != *chain) {
      damaged("its manifest is not the one that it is named by");
    } else {
      now_.walk = ChainState::of(manifest.value(), *chain);
    }
    return ok();
  }
  if (key == keys.state()) {
    now_.state = decode_chain_state(value, *chain);
    if (!now_.state) damaged("its state cannot be read");
    return ok();
  }
  const auto seq = keys.seq_of(key);
  if (!seq) {
    damaged("a record of an unknown kind");
    return ok();
  }
  ++counts_.links;
  if (go_on_ && !go_on_(counts_.links)) interrupted_ = true;
  return check_link(*seq, as_bytes(value));
}

Result<void> ChainCheck::check_link(std::uint64_t seq, ByteView raw) {
  if (now_.broken) return ok();
  if (!now_.state) {
    damaged("links without a state");
    return ok();
  }
  const auto link = LinkView::parse(raw);
  if (!link || link.value().fields().seq != seq || link.value().fields().chain != now_.id) {
    damaged("link " + std::to_string(seq) + " cannot be read, or is another's");
    return ok();
  }
  if (!follows(link.value(), seq)) return ok();
  now_.last_seq = seq;
  now_.last = link_id_of(raw);
  if (now_.walk) now_.walk->advance(link.value(), now_.last);
  if (seq < now_.state->first_kept) return ok();
  return check_refs(link.value());
}

/// Whether the link stands where it may; damage is told.
bool ChainCheck::follows(const LinkView& link, std::uint64_t seq) {
  const std::string name = "link " + std::to_string(seq);
  if (seq != now_.last_seq + 1) {
    // Links before the first that is kept go one after the other, and the newest rotation stays.
    if (seq > now_.state->first_kept) {
      damaged("link " + std::to_string(now_.last_seq + 1) + " is not there");
      return false;
    }
    now_.walk.reset();
    return true;
  }
  if (now_.walk) {
    const auto checked = now_.walk->check_next(link);
    if (!checked) damaged(name + ": " + checked.error().detail);
    return checked.has_value();
  }
  if (link.fields().prev != now_.last) {
    damaged(name + " does not stand on the one before it");
    return false;
  }
  // Who may write is known from the newest rotation on.
  if (seq <= now_.state->rotated_at) return true;
  const auto& writers = now_.state->access.writers;
  const std::uint16_t writer = link.fields().writer;
  const bool known = writer == kAdminWriter || writer < writers.size();
  if (known && link.signed_by(writer == kAdminWriter ? now_.state->admin : writers[writer])) {
    return true;
  }
  damaged(name + ": the signature is not the writer's");
  return false;
}

Result<void> ChainCheck::check_refs(const LinkView& link) {
  const std::uint64_t seq = link.fields().seq;
  for (std::size_t i = 0; i < link.ref_count(); ++i) {
    const BlockId ref = link.ref(i);
    const IndexKey block(slot_of(ref, seed_), ref);
    const std::string of = "of link " + std::to_string(seq) + " of chain " + now_.id.text();
    CAIRN_TRY(const bool held, has(database_.index(), block.view()));
    if (!held) tell_(Fault::dangling_ref, ref.text(), of, false);
    const std::string pin = pin_key(block, now_.id, seq);
    CAIRN_TRY(const bool pinned, has(database_.pin(), pin));
    if (pinned) continue;
    CAIRN_TRY(mend_pin(pin, true));
    tell_(Fault::missing_pin, ref.text(), of, repair_);
  }
  return ok();
}

void ChainCheck::end_chain() {
  if (now_.prefix.empty() || now_.broken) return;
  if (!now_.state) return damaged("it has no state");
  if (!now_.walk && now_.last_seq == 0) return damaged("it has no manifest");
  const ChainState& state = *now_.state;
  if (now_.last_seq != state.seq) {
    return damaged("its head is link " + std::to_string(state.seq) + ", the last one held " +
                   std::to_string(now_.last_seq));
  }
  if (state.seq > 0 && now_.last != state.head) return damaged("its head is another link");
  if (now_.walk && *now_.walk != state) damaged("its state is not what its links make of it");
}

Result<void> ChainCheck::check_pins() {
  const auto pins = iterate(database_, database_.pin());
  for (pins->SeekToFirst(); pins->Valid(); pins->Next()) {
    const std::string_view key = to_view(pins->key());
    if (key.size() != kPinBytes) continue;  // The note of a put.
    const auto block = IndexKey::from(key.substr(0, 2 + BlockId::kSize));
    const auto chain =
        ChainId::from_bytes(as_bytes(key.substr(2 + BlockId::kSize, ChainId::kSize)));
    if (!block || !chain) continue;
    const ChainKeys keys(slot_of(*chain, seed_), *chain);
    // The end of a link's key is the end of the pin's.
    std::string link = keys.link(0);
    link.replace(link.size() - sizeof(std::uint64_t), sizeof(std::uint64_t),
                 key.substr(key.size() - sizeof(std::uint64_t)));
    CAIRN_TRY(const bool there, has(database_.chain(), link));
    if (there) continue;
    CAIRN_TRY(mend_pin(std::string(key), false));
    tell_(Fault::stray_pin, block->id().text(), "for a link of chain " + chain->text(), repair_);
  }
  if (!pins->status().ok()) return to_error(pins->status());
  return ok();
}

Result<void> ChainCheck::mend_pin(const std::string& key, bool wanted) {
  if (!repair_) return ok();
  rocksdb::WriteBatch batch;
  if (wanted) {
    batch.Put(database_.pin(), key, rocksdb::Slice());
  } else {
    batch.Delete(database_.pin(), key);
  }
  return database_.write(batch, true);
}

}  // namespace cairn
