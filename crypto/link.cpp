#include "crypto/link.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/assert.h"
#include "base/little_endian.h"
#include "crypto/hash.h"

namespace cairn {
namespace {

constexpr std::array<std::uint8_t, 3> kStart{'L', '1', kSuite1};
constexpr std::string_view kSignedPrefix = "cairn-link-1";
constexpr std::uint32_t kDropEarlierFlag = 1;

constexpr std::size_t kTypeAt = 3;
constexpr std::size_t kFlagsAt = 4;
constexpr std::size_t kChainAt = 8;
constexpr std::size_t kSeqAt = 40;
constexpr std::size_t kPrevAt = 48;
constexpr std::size_t kEpochAt = 80;
constexpr std::size_t kWriterAt = 84;
constexpr std::size_t kRefCountAt = 86;
constexpr std::size_t kCiphertextSizeAt = 88;
constexpr std::size_t kSaltAt = 92;
constexpr std::size_t kCommitAt = kSaltAt + kSealSaltSize;
static_assert(kCommitAt + kSealCommitSize == kLinkHeaderSize);
/// boxPk and fetchTokenHash, in front of the writers.
constexpr std::size_t kRotateFixedRefs = 2;

Error malformed(std::string_view what) {
  return fail(Errc::malformed, std::string(what));
}

/// Who may sign which type, and which flags it has.
std::optional<Error> refuse_kind(const LinkFields& fields, std::uint32_t flags) {
  const bool by_admin = fields.writer == kAdminWriter;
  switch (fields.type) {
    case LinkType::data:
      if (by_admin) return malformed("a data link is signed by a writer");
      break;
    case LinkType::checkpoint: break;
    case LinkType::rotate:
    case LinkType::remove:
      if (!by_admin) return malformed("rotate and delete links are signed by the admin key");
      break;
    default: return malformed("unknown link type");
  }
  const std::uint32_t known = fields.type == LinkType::checkpoint ? kDropEarlierFlag : 0;
  if ((flags & ~known) != 0) return malformed("unknown link flags");
  return std::nullopt;
}

LinkFields read_fields(ByteView raw) {
  LinkFields out;
  out.type = static_cast<LinkType>(raw[kTypeAt]);
  out.earlier =
      load_le<std::uint32_t>(&raw[kFlagsAt]) == kDropEarlierFlag ? Earlier::dropped : Earlier::kept;
  out.chain = *ChainId::from_bytes(raw.subspan(kChainAt, ChainId::kSize));
  out.seq = load_le<std::uint64_t>(&raw[kSeqAt]);
  out.prev = *LinkId::from_bytes(raw.subspan(kPrevAt, LinkId::kSize));
  out.epoch = load_le<std::uint32_t>(&raw[kEpochAt]);
  out.writer = load_le<std::uint16_t>(&raw[kWriterAt]);
  return out;
}

std::optional<Error> refuse_rotate(const ChainAccess& access) {
  const auto valid = [](const PublicKey& key) { return is_valid(key); };
  if (!std::all_of(access.writers.begin(), access.writers.end(), valid)) {
    return malformed("a key of the rotate link is not a valid Ed25519 key");
  }
  return std::nullopt;
}

Bytes signed_message(ByteView before_signature) {
  Bytes out;
  out.reserve(kSignedPrefix.size() + before_signature.size());
  const ByteView prefix = as_bytes(kSignedPrefix);
  out.insert(out.end(), prefix.begin(), prefix.end());
  out.insert(out.end(), before_signature.begin(), before_signature.end());
  return out;
}

}  // namespace

Result<LinkView> LinkView::parse(ByteView raw) {
  if (raw.size() < kLinkHeaderSize + kSealTagSize + Signature::kSize) {
    return malformed("the link is shorter than any");
  }
  if (!std::equal(kStart.begin(), kStart.end(), raw.begin())) {
    return malformed("not a link of suite 1");
  }
  const std::size_t refs = load_le<std::uint16_t>(&raw[kRefCountAt]);
  const std::size_t ciphertext = load_le<std::uint32_t>(&raw[kCiphertextSizeAt]);
  if (refs > kMaxLinkRefs) return malformed("the link has more than 1024 refs");
  if (ciphertext < kSealTagSize || ciphertext > kMaxLinkCiphertext) {
    return malformed("the link's payload is shorter than its tag or over 64 KiB");
  }
  const std::size_t refs_bytes = refs * BlockId::kSize;
  if (raw.size() != kLinkHeaderSize + refs_bytes + ciphertext + Signature::kSize) {
    return malformed("the link's length is not what its header says");
  }
  const LinkView link(raw, read_fields(raw), refs_bytes);
  if (link.fields_.seq == 0) return malformed("the first link has seq 1");
  if (auto refusal = refuse_kind(link.fields_, load_le<std::uint32_t>(&raw[kFlagsAt]))) {
    return std::move(*refusal);
  }
  if (link.fields_.type != LinkType::rotate) return link;
  if (refs <= kRotateFixedRefs || refs > kRotateFixedRefs + kMaxWriters) {
    return malformed("a rotate link names 1 to 16 writers");
  }
  if (auto refusal = refuse_rotate(*link.access())) return std::move(*refusal);
  return link;
}

ByteView LinkView::ciphertext() const {
  const std::size_t at = kLinkHeaderSize + refs_bytes_;
  return raw_.subspan(at, raw_.size() - at - Signature::kSize);
}

Signature LinkView::signature() const {
  return *Signature::from_bytes(raw_.last(Signature::kSize));
}

std::size_t LinkView::ref_count() const {
  return fields_.type == LinkType::rotate ? 0 : refs_bytes_ / BlockId::kSize;
}

BlockId LinkView::ref(std::size_t index) const {
  CAIRN_ASSERT(index < ref_count());
  return *BlockId::from_bytes(
      raw_.subspan(kLinkHeaderSize + index * BlockId::kSize, BlockId::kSize));
}

std::optional<ChainAccess> LinkView::access() const {
  if (fields_.type != LinkType::rotate) return std::nullopt;
  ByteView rest = raw_.subspan(kLinkHeaderSize, refs_bytes_);
  ChainAccess out;
  const auto next = [&rest](auto& to) {
    std::copy_n(rest.begin(), to.size(), to.begin());
    rest = rest.subspan(to.size());
  };
  next(out.box);
  next(out.fetch_token_hash);
  while (!rest.empty()) next(out.writers.emplace_back().bytes);
  return out;
}

bool LinkView::signed_by(const PublicKey& key) const {
  return verify(key, signed_message(raw_.first(raw_.size() - Signature::kSize)), signature());
}

LinkId link_id_of(ByteView link) {
  return *LinkId::from_bytes(sha256_of(link));
}

std::vector<BlockId> rotate_refs(const ChainAccess& access) {
  std::vector<BlockId> out;
  out.push_back(*BlockId::from_bytes(access.box));
  out.push_back(*BlockId::from_bytes(access.fetch_token_hash));
  for (const PublicKey& writer : access.writers) {
    out.push_back(*BlockId::from_bytes(writer.bytes));
  }
  return out;
}

Bytes make_link(const LinkFields& fields, const std::vector<BlockId>& refs, ByteView payload,
                const LinkKey& key, const SigningKey& signer, const SealSalt& salt) {
  CAIRN_ASSERT(refs.size() <= kMaxLinkRefs && payload.size() <= kMaxLinkPayload);
  const auto append = [](Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
  };
  Bytes out(kStart.begin(), kStart.end());
  out.reserve(kLinkHeaderSize + refs.size() * BlockId::kSize + payload.size() + kSealTagSize +
              Signature::kSize);
  out.push_back(static_cast<std::uint8_t>(fields.type));
  append_le(fields.earlier == Earlier::dropped ? kDropEarlierFlag : 0U, out);
  append(out, fields.chain.view());
  append_le(fields.seq, out);
  append(out, fields.prev.view());
  append_le(fields.epoch, out);
  append_le(fields.writer, out);
  append_le(static_cast<std::uint16_t>(refs.size()), out);
  append_le(static_cast<std::uint32_t>(payload.size() + kSealTagSize), out);
  append(out, salt);
  const SealKey seal_key(key.view(), out);
  append(out, seal_key.commit());
  for (const BlockId& ref : refs) append(out, ref.view());
  const Bytes clear = out;
  append(out, payload);
  out.resize(out.size() + kSealTagSize);
  seal_key.encrypt(clear, MutableByteView(out).subspan(clear.size()));
  append(out, signer.sign(signed_message(out)).bytes);
  return out;
}

Result<Bytes> open_payload(const LinkKey& key, const LinkView& link) {
  const SealKey seal_key(key.view(), link.header().first(kCommitAt));
  if (!seal_key.commits_to(link.header().subspan(kCommitAt, kSealCommitSize))) {
    return fail(Errc::malformed);
  }
  Bytes text(link.ciphertext().size() - kSealTagSize);
  if (!seal_key.decrypt(link.clear(), link.ciphertext(), text)) return fail(Errc::malformed);
  return text;
}

}  // namespace cairn
