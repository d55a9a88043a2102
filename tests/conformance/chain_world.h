// What tests write chains with: the keys of one chain and links that follow each other, as a client
// makes them. One thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "crypto/chain_append.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace cairn {

class ChainWorld {
 public:
  explicit ChainWorld(Reads reads = Reads::open)
      : write_(WriteSecret::random(random_)),
        read_(first_read_secret_of(write_)),
        admin_(admin_seed_of(write_)),
        writer_(sign_seed_of(write_)),
        key_(link_key_of(read_)),
        manifest_(make_manifest(reads)),
        state_(ChainState::of(parse_manifest(manifest_).value(), chain_id_of(manifest_))) {}

  const Bytes& manifest() const { return manifest_; }
  const ChainId& id() const { return state_.chain; }
  const ChainState& state() const { return state_; }
  FetchToken fetch_token() const { return fetch_token_of(read_); }
  const LinkKey& key() const { return key_; }

  ChainAccess access() const {
    ChainAccess out;
    out.fetch_token_hash = sha256_of(fetch_token_of(read_).view());
    out.writers = {writer_.public_key()};
    return out;
  }

  /// A link that may follow, which the world then stands on.
  Bytes next(LinkFields fields = {}, const std::vector<BlockId>& refs = {},
             std::string_view payload = "payload") {
    Bytes link = beside(fields, refs, payload);
    stand_on(link);
    return link;
  }

  void stand_on(const Bytes& link) {
    const auto view = LinkView::parse(link);
    CAIRN_ASSERT(state_.check_next(view.value()).has_value());
    state_.advance(view.value(), link_id_of(link));
  }

  /// A link that may follow, without standing on it.
  Bytes beside(LinkFields fields = {}, const std::vector<BlockId>& refs = {},
               std::string_view payload = "payload") {
    fields.chain = state_.chain;
    fields.seq = state_.seq + 1;
    fields.prev = state_.head;
    fields.epoch = state_.epoch;
    const SigningKey& signer = fields.writer == kAdminWriter ? admin_ : writer_;
    return make_link(fields, refs, as_bytes(payload), key_, signer, random_salt(random_));
  }

  /// Stands on a checkpoint without having seen what was before it, as a reader may.
  void start_at(const Bytes& checkpoint) {
    const auto view = LinkView::parse(checkpoint);
    CAIRN_ASSERT(view.value().fields().type == LinkType::checkpoint);
    CAIRN_ASSERT(view.value().signed_by(writer_.public_key()));
    state_.seq = view.value().fields().seq - 1;
    state_.head = view.value().fields().prev;
    stand_on(checkpoint);
  }

  std::vector<Bytes> several(std::size_t count) {
    std::vector<Bytes> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(next());
    return out;
  }

  Bytes checkpoint(const std::vector<BlockId>& refs = {}) {
    return next({.type = LinkType::checkpoint, .earlier = Earlier::dropped}, refs);
  }
  Bytes rotate() {
    return next({.type = LinkType::rotate, .writer = kAdminWriter}, rotate_refs(access()));
  }
  Bytes remove() { return next({.type = LinkType::remove, .writer = kAdminWriter}); }

 private:
  Bytes make_manifest(Reads reads) {
    Manifest manifest;
    manifest.reads = reads;
    random_.fill(manifest.salt);
    manifest.admin = admin_.public_key();
    manifest.access = access();
    return manifest_bytes(manifest);
  }

  SystemRandom random_;
  WriteSecret write_;
  ReadSecret read_;
  SigningKey admin_;
  SigningKey writer_;
  LinkKey key_;
  Bytes manifest_;
  ChainState state_;
};

}  // namespace cairn
