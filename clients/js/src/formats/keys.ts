// Key derivation (docs/formats.md, "Keys"). A write secret W gives the read secret of the first
// read epoch and both signing seeds; a read secret R gives what seals and opens.

import { blake2b } from "@noble/hashes/blake2.js";

import { utf8, viewOf, type Bytes } from "../base/bytes.js";
import { sha256Sync } from "./sha256.js";

export const kSecretBytes = 32;

const kWrite = "cairn-w1";
const kRead = "cairn-r1";

/**
 * libsodium's `crypto_kdf_derive_from_key`, 32 bytes out: BLAKE2b of nothing, keyed, with the
 * number as salt and the context as personalization.
 * @param number below 2^64
 * @param context 8 ASCII characters
 * @throws RangeError for a secret or a context of another length
 */
export function deriveKey(secret: Uint8Array, number: number | bigint, context: string): Bytes {
  if (secret.length !== kSecretBytes) throw new RangeError("A secret has 32 bytes.");
  const salt = new Uint8Array(16);
  viewOf(salt).setBigUint64(0, BigInt(number), true);
  const personalization = new Uint8Array(16);
  if (context.length !== 8) throw new RangeError("A context has 8 characters.");
  personalization.set(utf8(context));
  const options = { dkLen: 32, key: secret, salt, personalization };
  return blake2b(new Uint8Array(0), options) as Bytes;
}

/** What a write secret gives. */
export interface WriteKeys {
  /** Ed25519 seed: signs links. */
  readonly signSeed: Bytes;
  /** R₀, the read secret of the first read epoch. */
  readonly readSecret: Bytes;
  /** Ed25519 seed: rotates, trims, deletes. */
  readonly adminSeed: Bytes;
}

/** @throws RangeError for a secret of another length than 32 bytes */
export function writeKeysOf(writeSecret: Uint8Array): WriteKeys {
  return {
    signSeed: deriveKey(writeSecret, 1, kWrite),
    readSecret: deriveKey(writeSecret, 2, kWrite),
    adminSeed: deriveKey(writeSecret, 3, kWrite),
  };
}

/** What a read secret gives. */
export interface ReadKeys {
  /** Seals link payloads. */
  readonly linkKey: Bytes;
  /** Seals blocks. */
  readonly blockKey: Bytes;
  /** X25519 seed: opens what others seal to the chain's readers. */
  readonly boxSeed: Bytes;
  /** Shown to the server to fetch a gated chain. */
  readonly fetchToken: Bytes;
  /** Its SHA-256, which the chain names. */
  readonly fetchTokenHash: Bytes;
}

/** @throws RangeError for a secret of another length than 32 bytes */
export function readKeysOf(readSecret: Uint8Array): ReadKeys {
  const fetchToken = deriveKey(readSecret, 4, kRead);
  return {
    linkKey: deriveKey(readSecret, 1, kRead),
    blockKey: blockKeyOf(readSecret),
    boxSeed: deriveKey(readSecret, 3, kRead),
    fetchToken,
    fetchTokenHash: sha256Sync(fetchToken),
  };
}

/** The key that seals the blocks of a read secret. @throws RangeError */
export function blockKeyOf(readSecret: Uint8Array): Bytes {
  return deriveKey(readSecret, 2, kRead);
}
