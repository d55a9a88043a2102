#include "storage/rocks_account_store.h"

#include <utility>

#include "base/little_endian.h"
#include "crypto/account_record.h"
#include "crypto/hash.h"

namespace cairn {
namespace {

constexpr std::string_view kAccountPrefix = "account/";
constexpr std::string_view kInvitePrefix = "invite/";
constexpr std::uint8_t kVersion = 1;

/// A site's name holds no zero byte, so no key is the beginning of another site's.
std::string key_of(std::string_view prefix, std::string_view site, std::string_view rest) {
  std::string out(prefix);
  out.append(site).push_back('\0');
  return out.append(rest);
}

std::string account_key(const AccountName& name) {
  return key_of(kAccountPrefix, name.site, name.handle);
}

ChainId lock_of(const AccountName& name) {
  return *ChainId::from_bytes(sha256_of(as_bytes(account_key(name))));
}

/// Version u8, blocked u8, created ms u64, record.
std::string encode(const Account& account) {
  std::string out;
  out.push_back(static_cast<char>(kVersion));
  out.push_back(account.blocked ? 1 : 0);
  append_le(static_cast<std::uint64_t>(account.created), out);
  return out.append(as_text(account.record));
}

std::optional<Account> decode(AccountName name, std::string_view raw) {
  std::uint8_t version = 0;
  std::uint8_t blocked = 0;
  std::uint64_t created = 0;
  if (!take_le(raw, version) || version != kVersion || !take_le(raw, blocked) || blocked > 1 ||
      !take_le(raw, created) || raw.empty()) {
    return std::nullopt;
  }
  const ByteView record = as_bytes(raw);
  return Account{.name = std::move(name),
                 .record = Bytes(record.begin(), record.end()),
                 .created = WallTime{static_cast<std::int64_t>(created)},
                 .blocked = blocked == 1};
}

RecordChange change(std::string key, std::optional<std::string> value) {
  return {RecordChange::Family::meta, std::move(key), std::move(value)};
}

}  // namespace

/// Travels with a write: the account stays locked until it has happened or never will.
struct RocksAccountStore::Change {
  Gate::Pass pass;
  ChainLocks::Guard guard;
};

RocksAccountStore::~RocksAccountStore() {
  changes_.close();
  while (!changes_.wait_empty(std::chrono::seconds(1))) {
  }
}

Result<Account> RocksAccountStore::read(const AccountName& name) const {
  CAIRN_TRY(auto raw, database_.meta_value(account_key(name)));
  if (!raw) return fail(Errc::not_found, "no such account");
  auto account = decode(name, *raw);
  if (!account) return fail(Errc::corrupt, "the record of an account is malformed");
  return std::move(*account);
}

Task<Result<Account>> RocksAccountStore::get(AccountName name, Deadline deadline) {
  auto ask = [this, name = std::move(name)]() -> Result<Account> { return read(name); };
  co_return co_await checks_.run(std::move(ask), deadline);
}

Result<std::vector<RecordChange>> RocksAccountStore::prepare_sign_up(const AccountName& name,
                                                                     const Bytes& record,
                                                                     const SignUp& sign_up) const {
  if (!sign_up.allowed) return fail(Errc::denied, "no accounts are made here");
  std::vector<RecordChange> out;
  if (sign_up.needs_invite) {
    std::string key = key_of(kInvitePrefix, name.site, to_hex(sign_up.invite_hash));
    CAIRN_TRY(const auto invite, database_.meta_value(key));
    if (!invite) return fail(Errc::denied, "no such invite, or it was used");
    out.push_back(change(std::move(key), std::nullopt));
  }
  const Account account{.name = name, .record = record, .created = clock_.wall()};
  out.push_back(change(account_key(name), encode(account)));
  return out;
}

Result<std::vector<RecordChange>> RocksAccountStore::prepare_put(const AccountName& name,
                                                                 const Bytes& record,
                                                                 const SignUp& sign_up) const {
  CAIRN_TRY(const AccountRecord parsed, read_account_record(record));
  if (parsed.handle != name.handle) {
    return fail(Errc::malformed, "the record is of another handle");
  }
  auto held = read(name);
  if (!held) {
    if (held.error().code != Errc::not_found) return held.error();
    return prepare_sign_up(name, record, sign_up);
  }
  CAIRN_TRY(const AccountChange verdict, judge_account_change(held.value().record, record));
  std::vector<RecordChange> out;
  if (verdict == AccountChange::same) return out;
  held.value().record = record;
  out.push_back(change(account_key(name), encode(held.value())));
  return out;
}

Task<Result<void>> RocksAccountStore::write(std::shared_ptr<const void> until_settled,
                                            std::vector<RecordChange> records, Room room,
                                            Deadline deadline) {
  WriteRequest request;
  request.kind = WriteRequest::Kind::records;
  request.records = std::move(records);
  request.room = room;
  request.until_settled = std::move(until_settled);
  std::vector<WriteRequest> requests;
  requests.push_back(std::move(request));
  const auto results = co_await writer_.submit(std::move(requests), deadline);
  if (results.front().has_error()) co_return results.front().error();
  co_return ok();
}

Task<Result<Stored>> RocksAccountStore::put(AccountName name, Bytes record, SignUp sign_up,
                                            Deadline deadline) {
  // Invites are used once: sign-ups with the same code wait for each other.
  const bool by_invite =
      sign_up.needs_invite && sign_up.invite_hash != decltype(sign_up.invite_hash){};
  AccountName locked = name;
  if (by_invite) locked = {name.site, to_hex(sign_up.invite_hash)};
  auto invite = co_await locks_.lock(lock_of(locked), deadline);
  if (invite.has_error()) co_return invite.error();
  std::optional<ChainLocks::Guard> second;
  if (by_invite) {
    auto own = co_await locks_.lock(lock_of(name), deadline);
    if (own.has_error()) co_return own.error();
    second.emplace(std::move(own).value());
  }
  auto check = [this, name, record = std::move(record),
                sign_up]() -> Result<std::vector<RecordChange>> {
    return prepare_put(name, record, sign_up);
  };
  auto records = co_await checks_.run(std::move(check), deadline);
  if (records.has_error()) co_return records.error();
  if (records.value().empty()) co_return Stored::held;
  struct Both {
    Change first;
    std::optional<ChainLocks::Guard> second;
  };
  auto both = std::make_shared<Both>(
      Both{Change{changes_.enter(), std::move(invite).value()}, std::move(second)});
  const auto written =
      co_await write(std::move(both), std::move(records).value(), Room::needed, deadline);
  if (written.has_error()) co_return written.error();
  co_return Stored::created;
}

Task<Result<void>> RocksAccountStore::remove(AccountName name, Deadline deadline) {
  auto guard = co_await locks_.lock(lock_of(name), deadline);
  if (guard.has_error()) co_return guard.error();
  auto held = std::make_shared<Change>(Change{changes_.enter(), std::move(guard).value()});
  std::vector<RecordChange> records;
  records.push_back(change(account_key(name), std::nullopt));
  co_return co_await write(std::move(held), std::move(records), Room::spared, deadline);
}

Task<Result<void>> RocksAccountStore::set_blocked(AccountName name, bool blocked,
                                                  Deadline deadline) {
  auto guard = co_await locks_.lock(lock_of(name), deadline);
  if (guard.has_error()) co_return guard.error();
  auto account = co_await get(name, deadline);
  if (account.has_error()) co_return account.error();
  account.value().blocked = blocked;
  auto held = std::make_shared<Change>(Change{changes_.enter(), std::move(guard).value()});
  std::vector<RecordChange> records;
  records.push_back(change(account_key(name), encode(account.value())));
  co_return co_await write(std::move(held), std::move(records), Room::spared, deadline);
}

Result<std::vector<Account>> RocksAccountStore::read_page(const std::string& site,
                                                          const std::string& after,
                                                          std::size_t limit) const {
  const std::string prefix = key_of(kAccountPrefix, site, {});
  const std::unique_ptr<rocksdb::Iterator> accounts(
      database_.db().NewIterator(rocksdb::ReadOptions(), database_.meta()));
  std::vector<Account> out;
  const std::string first = after.empty() ? prefix : prefix + after + '\0';
  for (accounts->Seek(first); accounts->Valid() && out.size() < limit; accounts->Next()) {
    const std::string_view key = to_view(accounts->key());
    if (!key.starts_with(prefix)) break;
    AccountName name{site, std::string(key.substr(prefix.size()))};
    auto account = decode(std::move(name), to_view(accounts->value()));
    if (!account) return fail(Errc::corrupt, "the record of an account is malformed");
    out.push_back(std::move(*account));
  }
  if (!accounts->status().ok()) return to_error(accounts->status());
  return out;
}

Task<Result<std::vector<Account>>> RocksAccountStore::list(std::string site, std::string after,
                                                           std::size_t limit, Deadline deadline) {
  auto ask = [this, site = std::move(site), after = std::move(after),
              limit]() -> Result<std::vector<Account>> { return read_page(site, after, limit); };
  co_return co_await checks_.run(std::move(ask), deadline);
}

Task<Result<void>> RocksAccountStore::add_invite(std::string site,
                                                 std::array<std::uint8_t, 32> code_hash,
                                                 Deadline deadline) {
  std::vector<RecordChange> records;
  records.push_back(change(key_of(kInvitePrefix, site, to_hex(code_hash)), std::string("1")));
  co_return co_await write(nullptr, std::move(records), Room::needed, deadline);
}

}  // namespace cairn
