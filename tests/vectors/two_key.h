// A ciphertext with one tag that is right under two keys ("invisible salamander": Dodis, Grubbs,
// Ristenpart, Woodage, "Fast Message Franking", 2018). It shows why a block commits to its key.
// Owned by the generator's one thread.
#pragma once

#include "base/bytes.h"

namespace cairn::vectors {

/// 64 bytes of ciphertext and a tag that XChaCha20-Poly1305-IETF accepts with a zero nonce and
/// `additional` under both 32-byte keys. Follows from its arguments alone.
Bytes two_key_ciphertext(ByteView first_key, ByteView second_key, ByteView additional);

}  // namespace cairn::vectors
