// chain.json: manifests, a chain with every type of link, and what neither a server nor a reader
// may take. Forged links are signed anew, so that only the rule they break can refuse them.
#include <algorithm>
#include <functional>

#include "base/assert.h"
#include "base/little_endian.h"
#include "crypto/chain_state.h"
#include "crypto/hash.h"
#include "json_text.h"

namespace cairn::vectors {
namespace {

template <std::size_t kSize>
std::array<std::uint8_t, kSize> array_from(std::string_view label) {
  const Bytes bytes = bytes_from(label, kSize);
  std::array<std::uint8_t, kSize> out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

SigningKey signer_from(std::string_view label) {
  const Bytes seed = bytes_from(label, kSecretSize);
  return SigningKey(SecretView(seed.data(), kSecretSize));
}

/// Everything that the chain of the vectors is made from.
struct World {
  WriteSecret write = *WriteSecret::from_bytes(bytes_from("chain write secret", kSecretSize));
  ReadSecret read = first_read_secret_of(write);
  ReadSecret later_read = *ReadSecret::from_bytes(bytes_from("chain later read", kSecretSize));
  SigningKey admin{admin_seed_of(write)};
  SigningKey writer{sign_seed_of(write)};
  SigningKey second = signer_from("second writer");
  SigningKey third = signer_from("third writer");

  ChainAccess access(std::vector<PublicKey> writers) const {
    ChainAccess out;
    out.box = array_from<32>("box key");
    out.fetch_token_hash = sha256_of(fetch_token_of(read).view());
    out.writers = std::move(writers);
    return out;
  }

  Manifest manifest() const {
    Manifest out;
    out.reads = Reads::gated;
    out.salt = array_from<kManifestSaltSize>("manifest salt");
    out.admin = admin.public_key();
    out.access = access({writer.public_key(), second.public_key()});
    return out;
  }
};

struct Entry {
  std::string name;
  Bytes link;
  Bytes payload;
  LinkKey key;
};

/// A chain of one link of each kind, in an order that uses what each changes.
class ChainMaker {
 public:
  explicit ChainMaker(const World& world)
      : manifest_(manifest_bytes(world.manifest())),
        state_(ChainState::of(world.manifest(), chain_id_of(manifest_))) {
    states_.push_back(state_);
    const auto first = link_key_of(world.read);
    const auto later = link_key_of(world.later_read);
    add("data, two refs", {.writer = 0}, blocks(2), world.writer, first);
    add("data by the second writer, no refs", {.writer = 1}, {}, world.second, first);
    add("checkpoint that keeps", {.type = LinkType::checkpoint, .writer = 0}, blocks(1),
        world.writer, first);
    add("checkpoint that drops",
        {.type = LinkType::checkpoint, .earlier = Earlier::dropped, .writer = kAdminWriter},
        blocks(1), world.admin, first);
    add("rotate to a third writer and epoch 1",
        {.type = LinkType::rotate, .epoch = 1, .writer = kAdminWriter},
        rotate_refs(world.access({world.third.public_key()})), world.admin, later);
    add("data by the third writer", {.epoch = 1, .writer = 0}, {}, world.third, later);
    add("delete", {.type = LinkType::remove, .epoch = 1, .writer = kAdminWriter}, {}, world.admin,
        later);
  }

  const Bytes& manifest() const { return manifest_; }
  const std::vector<Entry>& entries() const { return entries_; }
  /// After the first `count` links.
  const ChainState& state(std::size_t count) const { return states_[count]; }

 private:
  static std::vector<BlockId> blocks(std::size_t count) {
    std::vector<BlockId> out;
    for (std::size_t i = 0; i < count; ++i) {
      out.push_back(block_id_of(bytes_from("referred block", i + 1)));
    }
    return out;
  }

  void add(const std::string& name, LinkFields fields, const std::vector<BlockId>& refs,
           const SigningKey& signer, const LinkKey& key) {
    fields.chain = state_.chain;
    fields.seq = state_.seq + 1;
    fields.prev = state_.head;
    Bytes payload = bytes_from("payload of " + name, entries_.size() * 13);
    Bytes link =
        make_link(fields, refs, payload, key, signer, array_from<kSealSaltSize>("salt of " + name));
    const auto view = LinkView::parse(link);
    CAIRN_ASSERT(state_.check_next(view.value()).has_value());
    state_.advance(view.value(), link_id_of(link));
    states_.push_back(state_);
    entries_.push_back({name, std::move(link), std::move(payload), key});
  }

  Bytes manifest_;
  ChainState state_;
  std::vector<ChainState> states_;
  std::vector<Entry> entries_;
};

std::vector<JsonCase> manifests(const World& world) {
  std::vector<JsonCase> cases;
  const auto add = [&cases](std::string_view name, const Manifest& manifest) {
    const Bytes bytes = manifest_bytes(manifest);
    Bytes writers;
    for (const PublicKey& key : manifest.access.writers) {
      writers.insert(writers.end(), key.bytes.begin(), key.bytes.end());
    }
    cases.push_back(JsonCase()
                        .text("name", name)
                        .flag("gated", manifest.reads == Reads::gated)
                        .hex("admin", manifest.admin.bytes)
                        .hex("box", manifest.access.box)
                        .hex("fetch_token_hash", manifest.access.fetch_token_hash)
                        .hex("writers", writers)
                        .hex("manifest", bytes)
                        .text("chain", chain_id_of(bytes).text()));
  };
  add("gated, two writers", world.manifest());
  Manifest open = world.manifest();
  open.reads = Reads::open;
  open.access.fetch_token_hash = {};
  open.access.writers = {world.writer.public_key()};
  add("open, one writer, no fetch token", open);
  open.access = world.access({});
  for (std::size_t i = 0; i < kMaxWriters; ++i) {
    open.access.writers.push_back(signer_from("writer " + std::to_string(i)).public_key());
  }
  add("open, sixteen writers", open);
  return cases;
}

std::vector<JsonCase> refused_manifests(const World& world) {
  std::vector<JsonCase> cases;
  const Bytes good = manifest_bytes(world.manifest());
  const auto add = [&](std::string_view name, const std::function<void(Bytes&)>& change) {
    Bytes bad = good;
    change(bad);
    CAIRN_ASSERT(!parse_manifest(bad).has_value());
    cases.push_back(JsonCase().text("name", name).hex("manifest", bad));
  };
  constexpr std::size_t kAdminAt = 4 + kManifestSaltSize;
  constexpr std::size_t kTokenAt = kAdminAt + 64;
  constexpr std::size_t kCountAt = kTokenAt + 32;
  const auto put = [](Bytes& bytes, std::size_t at, std::size_t count, std::uint8_t value) {
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), count, value);
  };
  add("empty", [](Bytes& b) { b.clear(); });
  add("magic B1", [](Bytes& b) { b[0] = 'B'; });
  add("magic M2", [](Bytes& b) { b[1] = '2'; });
  add("suite 0", [](Bytes& b) { b[2] = 0; });
  add("suite 2", [](Bytes& b) { b[2] = 2; });
  add("flag bit 1", [](Bytes& b) { b[3] = 3; });
  add("flag bit 7", [](Bytes& b) { b[3] = 0x81; });
  add("gated without a fetch token", [&](Bytes& b) { put(b, kTokenAt, 32, 0); });
  add("no writer", [&](Bytes& b) {
    b[kCountAt] = 0;
    b.resize(kManifestHeaderSize);
  });
  add("seventeen writers", [&](Bytes& b) {
    b[kCountAt] = 17;
    while (b.size() < kManifestHeaderSize + 17 * 32) b.push_back(b[b.size() - 32]);
  });
  add("one writer more than said", [&](Bytes& b) { b[kCountAt] = 1; });
  add("one writer fewer than said", [&](Bytes& b) { b[kCountAt] = 3; });
  add("a trailing byte", [](Bytes& b) { b.push_back(0); });
  add("the last byte cut off", [](Bytes& b) { b.pop_back(); });
  add("cut in the header", [](Bytes& b) { b.resize(100); });
  add("admin key of small order", [&](Bytes& b) { put(b, kAdminAt, 32, 0); });
  add("admin key that is neutral", [&](Bytes& b) {
    put(b, kAdminAt, 32, 0);
    b[kAdminAt] = 1;
  });
  add("writer key in a second encoding", [&](Bytes& b) {
    put(b, kManifestHeaderSize, 32, 0xff);  // y = p + 18, with the sign bit
    b[kManifestHeaderSize] = 0xff;
  });
  add("writer key that is no point", [&](Bytes& b) {
    put(b, kManifestHeaderSize, 32, 0);
    b[kManifestHeaderSize] = 2;
  });
  return cases;
}

std::vector<JsonCase> links(const ChainMaker& chain) {
  std::vector<JsonCase> cases;
  for (std::size_t i = 0; i < chain.entries().size(); ++i) {
    const Entry& entry = chain.entries()[i];
    const ChainState& after = chain.state(i + 1);
    CAIRN_ASSERT(open_payload(entry.key, LinkView::parse(entry.link).value()).value() ==
                 entry.payload);
    cases.push_back(JsonCase()
                        .text("name", entry.name)
                        .hex("link", entry.link)
                        .text("id", after.head.text())
                        .hex("link_key", entry.key.view())
                        .hex("payload", entry.payload)
                        .number("seq", after.seq)
                        .number("epoch", after.epoch)
                        .number("first_kept", after.first_kept)
                        .number("rotated_at", after.rotated_at)
                        .flag("removed", after.removed));
  }
  return cases;
}

/// Gathers links that must not follow the first `after` links of the chain.
class Refusals {
 public:
  Refusals(const World& world, const ChainMaker& chain) : world_(world), chain_(chain) {}

  void add(std::string_view name, std::size_t after, const Bytes& link) {
    const auto view = LinkView::parse(link);
    const auto verdict = view.has_value() ? chain_.state(after).check_next(view.value())
                                          : Result<void>(view.error());
    CAIRN_ASSERT(!verdict.has_value());
    cases_.push_back(JsonCase()
                         .text("name", name)
                         .number("after", after)
                         .text("error", name_of(verdict.error().code))
                         .hex("link", link));
  }

  /// The link at `after`, changed and signed anew.
  void add_changed(std::string_view name, std::size_t after,
                   const std::function<void(Bytes&)>& change) {
    add(name, after, resigned(chain_.entries()[after].link, change, signer_at(after)));
  }

  const SigningKey& signer_at(std::size_t index) const {
    const Bytes& link = chain_.entries()[index].link;
    const std::uint16_t writer = LinkView::parse(link).value().fields().writer;
    if (writer == kAdminWriter) return world_.admin;
    if (index == 5) return world_.third;
    return writer == 0 ? world_.writer : world_.second;
  }

  static Bytes resigned(Bytes link, const std::function<void(Bytes&)>& change,
                        const SigningKey& signer) {
    link.resize(link.size() - Signature::kSize);
    change(link);
    Bytes message(as_bytes("cairn-link-1").begin(), as_bytes("cairn-link-1").end());
    message.insert(message.end(), link.begin(), link.end());
    const Signature signature = signer.sign(message);
    link.insert(link.end(), signature.bytes.begin(), signature.bytes.end());
    return link;
  }

  std::vector<JsonCase> cases() && { return std::move(cases_); }

 private:
  const World& world_;
  const ChainMaker& chain_;
  std::vector<JsonCase> cases_;
};

void add_flips(Refusals& refusals, const ChainMaker& chain) {
  const Bytes& good = chain.entries()[0].link;
  for (std::size_t byte = 0; byte < kLinkHeaderSize; ++byte) {
    for (std::size_t bit = 0; bit < 8; ++bit) {
      if (byte >= 8 && bit != byte % 8) continue;
      Bytes bad = good;
      bad[byte] = static_cast<std::uint8_t>(bad[byte] ^ (1U << bit));
      refusals.add("bit " + std::to_string(bit) + " of byte " + std::to_string(byte), 0, bad);
    }
  }
}

void add_lengths(Refusals& refusals, const ChainMaker& chain) {
  const Bytes& good = chain.entries()[0].link;
  for (const std::size_t size : {0U, 3U, 147U, 148U, 227U, 228U, 260U}) {
    refusals.add("first " + std::to_string(size) + " bytes only", 0,
                 Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  Bytes longer = good;
  longer.push_back(0);
  refusals.add("a trailing byte", 0, longer);
  refusals.add_changed("a trailing byte, signed", 0, [](Bytes& b) { b.push_back(0); });
  refusals.add_changed("one ref fewer than said", 0, [](Bytes& b) { b[86] = 3; });
  refusals.add_changed("1,025 refs", 0, [](Bytes& b) {
    b[86] = 1;
    b[87] = 4;
    b.insert(b.begin() + kLinkHeaderSize, std::size_t{1023} * 32, 7);
  });
  refusals.add_changed("payload past the end", 0, [](Bytes& b) { ++b[88]; });
  refusals.add_changed("payload shorter than its tag", 0, [](Bytes& b) {
    b[88] = 15;
    b.pop_back();
  });
  refusals.add_changed("payload over 64 KiB", 0, [](Bytes& b) {
    b[88] = 1;
    b[90] = 1;
    b.resize(b.size() + (std::size_t{64} << 10) + 1 - 16);
  });
}

void add_forms(Refusals& refusals) {
  const auto at = [&](std::string_view name, std::size_t after, std::size_t place,
                      std::uint8_t value) {
    refusals.add_changed(name, after, [=](Bytes& b) { b[place] = value; });
  };
  at("magic B1", 0, 0, 'B');
  at("magic L2", 0, 1, '2');
  at("suite 0", 0, 2, 0);
  at("suite 2", 0, 2, 2);
  at("type 0", 0, 3, 0);
  at("type 5", 0, 3, 5);
  at("data with flag bit 0", 0, 4, 1);
  at("checkpoint with flag bit 1", 2, 4, 2);
  at("checkpoint with flag bit 31", 2, 7, 0x80);
  at("rotate with flag bit 0", 4, 4, 1);
  at("delete with flag bit 0", 6, 4, 1);
  at("seq 0", 0, 40, 0);
  at("seq beyond the next", 0, 40, 2);
  refusals.add_changed("seq 2^64 - 1", 0,
                       [](Bytes& b) { std::fill_n(b.begin() + 40, 8, std::uint8_t{0xff}); });
  at("another chain", 1, 8, 0);
  at("another link before it", 1, 48, 0);
  at("an epoch without a rotate link", 1, 80, 1);
  at("an epoch that goes back", 5, 80, 0);
  at("a writer that the chain does not have", 0, 84, 2);
}

void add_authors(Refusals& refusals, const World& world, const ChainMaker& chain) {
  const auto unchanged = [](Bytes&) {};
  const auto by = [&](std::string_view name, std::size_t after, const SigningKey& signer,
                      const std::function<void(Bytes&)>& change) {
    refusals.add(name, after, Refusals::resigned(chain.entries()[after].link, change, signer));
  };
  const auto writer = [](std::uint8_t low, std::uint8_t high) {
    return [=](Bytes& b) {
      b[84] = low;
      b[85] = high;
    };
  };
  by("signed by another writer", 0, world.second, unchanged);
  by("signed by the admin key in a writer's name", 0, world.admin, unchanged);
  by("data by the admin key", 0, world.admin, writer(0xff, 0xff));
  by("rotate by a writer", 4, world.writer, writer(0, 0));
  by("delete by a writer", 6, world.third, writer(0, 0));
  by("rotate signed by a writer in the admin's name", 4, world.writer, unchanged);
  by("a writer from before the rotate link", 5, world.writer, unchanged);
  refusals.add("a link behind the delete link", 7, [&] {
    return Refusals::resigned(
        chain.entries()[5].link,
        [&](Bytes& b) {
          b[40] = 8;
          const auto head = chain.state(7).head.view();
          std::copy(head.begin(), head.end(), b.begin() + 48);
        },
        world.third);
  }());
  refusals.add("a seq that is taken", 2, chain.entries()[0].link);
  refusals.add("the head once more", 1, chain.entries()[0].link);
}

void add_signatures(Refusals& refusals, const ChainMaker& chain) {
  const Bytes& good = chain.entries()[0].link;
  const std::size_t r_at = good.size() - 64;
  for (const std::size_t byte : {0U, 31U, 32U, 62U}) {
    Bytes bad = good;
    bad[r_at + byte] ^= 1U;
    refusals.add("a bit of byte " + std::to_string(byte) + " of the signature", 0, bad);
  }
  Bytes with_order = good;  // S + L
  constexpr std::array<std::uint8_t, 32> kOrder{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                                0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                                0,    0,    0,    0,    0,    0,    0,    0,
                                                0,    0,    0,    0,    0,    0,    0,    0x10};
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    const unsigned sum = with_order[r_at + 32 + i] + kOrder[i] + carry;
    with_order[r_at + 32 + i] = static_cast<std::uint8_t>(sum);
    carry = sum >> 8U;
  }
  refusals.add("S + L", 0, with_order);
  Bytes zeros = good;
  std::fill_n(zeros.begin() + static_cast<std::ptrdiff_t>(r_at), 64, std::uint8_t{0});
  refusals.add("a signature of zeros", 0, zeros);
  zeros[r_at] = 1;
  refusals.add("R neutral, S zero", 0, zeros);
}

void add_rotates(Refusals& refusals) {
  const auto put_key = [](std::uint8_t first, std::uint8_t rest) {
    return [=](Bytes& b) {
      std::fill_n(b.begin() + kLinkHeaderSize + 64, 32, rest);
      b[kLinkHeaderSize + 64] = first;
    };
  };
  refusals.add_changed("rotate to a key of small order", 4, put_key(0, 0));
  refusals.add_changed("rotate to the neutral key", 4, put_key(1, 0));
  refusals.add_changed("rotate to a key in a second encoding", 4, put_key(0xff, 0xff));
  refusals.add_changed("rotate to no writer", 4, [](Bytes& b) {
    b[86] = 2;
    b.erase(b.begin() + kLinkHeaderSize + 64, b.begin() + kLinkHeaderSize + 96);
  });
  refusals.add_changed("rotate to seventeen writers", 4, [](Bytes& b) {
    const Bytes key(b.begin() + kLinkHeaderSize + 64, b.begin() + kLinkHeaderSize + 96);
    for (int i = 0; i < 16; ++i) b.insert(b.begin() + kLinkHeaderSize, key.begin(), key.end());
    b[86] = 19;
  });
}

std::vector<JsonCase> refused_payloads(const ChainMaker& chain, const Refusals& refusals) {
  std::vector<JsonCase> cases;
  const auto add = [&](std::string_view name, std::size_t index, const LinkKey& key,
                       const std::function<void(Bytes&)>& change) {
    const Bytes link =
        Refusals::resigned(chain.entries()[index].link, change, refusals.signer_at(index));
    CAIRN_ASSERT(!open_payload(key, LinkView::parse(link).value()).has_value());
    cases.push_back(JsonCase().text("name", name).hex("link_key", key.view()).hex("link", link));
  };
  const Entry& base = chain.entries()[2];
  const auto flip = [](std::size_t at) { return [at](Bytes& b) { b[at] ^= 1U; }; };
  add("the key of another epoch", 2, chain.entries()[5].key, [](Bytes&) {});
  add("flags changed, signed anew", 2, base.key, flip(4));
  add("seq changed, signed anew", 2, base.key, flip(47));
  add("prev changed, signed anew", 2, base.key, flip(48));
  add("epoch changed, signed anew", 2, base.key, flip(80));
  add("salt changed, signed anew", 2, base.key, flip(92));
  add("commitment changed, signed anew", 2, base.key, flip(147));
  add("a ref changed, signed anew", 2, base.key, flip(kLinkHeaderSize));
  add("ciphertext changed, signed anew", 2, base.key, flip(kLinkHeaderSize + 32));
  add("tag changed, signed anew", 2, base.key, [](Bytes& b) { b.back() ^= 1U; });
  return cases;
}

}  // namespace

std::string chain_vectors() {
  const World world;
  const ChainMaker chain(world);
  Refusals refusals(world, chain);
  add_lengths(refusals, chain);
  add_forms(refusals);
  add_authors(refusals, world, chain);
  add_signatures(refusals, chain);
  add_rotates(refusals);
  add_flips(refusals, chain);
  const auto payloads = refused_payloads(chain, refusals);

  JsonFile file(
      "Manifests (M1) and links (L1). links: a chain from the first manifest, in order, with what "
      "it "
      "is after each; the payload opens under link_key. refused: must not follow the first `after` "
      "links; error: malformed, conflict (a taken seq or another head) or denied (writer or "
      "signature). payloads_refused: links of right form whose payload does not open under the key "
      "given.");
  file.section("manifests", manifests(world));
  file.section("manifests_refused", refused_manifests(world));
  file.section("links", links(chain));
  file.section("refused", std::move(refusals).cases());
  file.section("payloads_refused", payloads);
  return file.finish();
}

}  // namespace cairn::vectors
