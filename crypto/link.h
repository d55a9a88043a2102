// Links, the format "L1" of docs/formats.md: one signed entry of a chain. LinkView reads one
// without copying; make_link writes one. What a link means to its chain is chain_state.h's. Any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "crypto/manifest.h"
#include "crypto/seal_core.h"
#include "crypto/sign.h"

namespace cairn {

inline constexpr std::size_t kLinkHeaderSize = 148;
inline constexpr std::size_t kMaxLinkRefs = 1024;
/// Ciphertext and tag.
inline constexpr std::size_t kMaxLinkCiphertext = std::size_t{64} << 10;
inline constexpr std::size_t kMaxLinkPayload = kMaxLinkCiphertext - kSealTagSize;
inline constexpr std::size_t kMaxLinkBytes =
    kLinkHeaderSize + kMaxLinkRefs * BlockId::kSize + kMaxLinkCiphertext + Signature::kSize;
/// The writer's place in a link that the admin key signs.
inline constexpr std::uint16_t kAdminWriter = 0xFFFF;

/// The numbers are in the format and never change their meaning.
enum class LinkType : std::uint8_t {
  data = 1,
  checkpoint = 2,  ///< A whole state: a reader may start here.
  rotate = 3,      ///< New access from the next link on; signed by the admin key.
  remove = 4,      ///< The last link of all; signed by the admin key.
};

/// What becomes of the links before a checkpoint.
enum class Earlier : std::uint8_t { kept, dropped };

/// What a link says in the clear, its refs and sizes aside.
struct LinkFields {
  LinkType type = LinkType::data;
  Earlier earlier = Earlier::kept;  ///< dropped: with a checkpoint only.
  ChainId chain{};
  std::uint64_t seq = 0;  ///< 1 for the first.
  LinkId prev{};          ///< Of the first link: the chain's id.
  std::uint32_t epoch = 0;
  std::uint16_t writer = 0;

  friend bool operator==(const LinkFields&, const LinkFields&) = default;
};

/// A link's parts; borrows the bytes that it was read from.
class LinkView {
 public:
  /// The form alone: exact length, magic, suite, type, flags, seq > 0, who may sign the type, the
  /// limits, and what a rotate link's refs field must hold. malformed for anything else. Says
  /// nothing of signature and chain.
  static Result<LinkView> parse(ByteView raw);

  const LinkFields& fields() const { return fields_; }
  ByteView raw() const { return raw_; }
  ByteView header() const { return raw_.first(kLinkHeaderSize); }
  /// Header and refs: what the payload's tag covers beside the payload.
  ByteView clear() const { return raw_.first(kLinkHeaderSize + refs_bytes_); }
  ByteView ciphertext() const;
  Signature signature() const;

  /// Blocks that this link keeps alive; none in a rotate link.
  std::size_t ref_count() const;
  BlockId ref(std::size_t index) const;
  /// What a rotate link says; nothing of others.
  std::optional<ChainAccess> access() const;

  /// Whether `key` signed this link. Copies the link once.
  [[nodiscard]] bool signed_by(const PublicKey& key) const;

 private:
  LinkView(ByteView raw, LinkFields fields, std::size_t refs_bytes)
      : raw_(raw), fields_(fields), refs_bytes_(refs_bytes) {}

  ByteView raw_;
  LinkFields fields_;
  std::size_t refs_bytes_;
};

/// SHA-256 of the whole link.
LinkId link_id_of(ByteView link);

/// The refs field of a rotate link.
std::vector<BlockId> rotate_refs(const ChainAccess& access);

/// Seals `payload` and signs. `fields`, `refs` and the payload's size are within the limits. The
/// salt is fresh for each link of a key.
Bytes make_link(const LinkFields& fields, const std::vector<BlockId>& refs, ByteView payload,
                const LinkKey& key, const SigningKey& signer, const SealSalt& salt);

/// The payload. Every failure is malformed without words; the commitment is compared in constant
/// time before anything is decrypted.
Result<Bytes> open_payload(const LinkKey& key, const LinkView& link);

}  // namespace cairn
