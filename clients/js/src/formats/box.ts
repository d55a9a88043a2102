// Boxes: a secret sealed to an X25519 key (FORMATS.md, "Grants"). An ephemeral key and its shared
// secret give the key of an unpadded sealed block.

import { x25519 } from "@noble/curves/ed25519.js";
import { blake2b } from "@noble/hashes/blake2.js";

import { concat, type Bytes } from "../base/bytes.js";
import { NotOpened } from "../base/errors.js";
import { randomBytes } from "../base/random.js";
import { kSecretBytes } from "./keys.js";
import { kSealOverheadBytes, openBlock, sealBlock } from "./seal.js";

const kKeyBytes = 32;
export const kBoxBytes = kKeyBytes + kSealOverheadBytes + kSecretBytes;

/** The public key of a box seed: what others seal to. */
export function boxKeyOf(boxSeed: Uint8Array): Bytes {
  return x25519.getPublicKey(boxSeed) as Bytes;
}

/** noble refuses a shared secret of zeros, which keys of small order give. */
function sealingKey(
  own: Uint8Array,
  other: Uint8Array,
  sender: Uint8Array,
  receiver: Uint8Array,
): Bytes {
  const shared = x25519.getSharedSecret(own, other);
  return blake2b(concat(sender, receiver), { dkLen: 32, key: shared }) as Bytes;
}

/** @throws RangeError for a key that nobody can open with */
export function sealBox(secret: Uint8Array, receiver: Uint8Array): Bytes {
  const seed = randomBytes(kKeyBytes);
  const sender = boxKeyOf(seed);
  let key: Bytes;
  try {
    key = sealingKey(seed, receiver, sender, receiver);
  } catch {
    throw new RangeError("This is not an X25519 key to seal to.");
  }
  return concat(sender, sealBlock(secret, key, { padded: false }));
}

/** @throws NotOpened */
export function openBox(box: Uint8Array, boxSeed: Uint8Array): Bytes {
  if (box.length !== kBoxBytes) throw new NotOpened();
  const sender = box.subarray(0, kKeyBytes);
  let key: Bytes;
  try {
    key = sealingKey(boxSeed, sender, sender, boxKeyOf(boxSeed));
  } catch {
    throw new NotOpened();
  }
  return openBlock(box.subarray(kKeyBytes), key);
}
