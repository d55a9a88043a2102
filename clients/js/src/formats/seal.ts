// Sealing (docs/formats.md, "Sealed block"): XChaCha20-Poly1305 under a key that is fresh for each
// salt and that the block commits to. Links seal their payloads with the same two steps.

import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { blake2b } from "@noble/hashes/blake2.js";

import { equal, type Bytes } from "../base/bytes.js";
import { NotOpened } from "../base/errors.js";
import { randomBytes } from "../base/random.js";

export const kSaltBytes = 24;
export const kCommitBytes = 32;
export const kTagBytes = 16;
/** The largest block that any node takes. */
export const kMaxBlockBytes = 16 * 1024 * 1024;

const kStart = [0x42, 0x31, 1] as const;
const kPadded = 1;
const kFlagsAt = 3;
const kSaltAt = 4;
const kCommitAt = kSaltAt + kSaltBytes;
const kHeaderBytes = kCommitAt + kCommitBytes;
const kZeroNonce = new Uint8Array(24);

/** What sealing adds to a plaintext, padding aside. */
export const kSealOverheadBytes = kHeaderBytes + kTagBytes;

/** `(k ‖ commit)`: the key of one sealing, and what it commits to. */
export function sealKeyOf(key: Uint8Array, message: Uint8Array): { k: Bytes; commit: Bytes } {
  const both = blake2b(message, { dkLen: 64, key }) as Bytes;
  return { k: both.subarray(0, 32), commit: both.subarray(32) };
}

/** Writes ciphertext and tag into `out`, which has their length. */
export function encryptInto(k: Uint8Array, text: Uint8Array, clear: Uint8Array, out: Bytes): void {
  xchacha20poly1305(k, kZeroNonce, clear).encrypt(text, out);
}

/**
 * Compares the commitment in constant time, then decrypts.
 * @throws NotOpened
 */
export function openSealed(
  key: Uint8Array,
  message: Uint8Array,
  commit: Uint8Array,
  clear: Uint8Array,
  ciphertext: Uint8Array,
): Bytes {
  const expected = sealKeyOf(key, message);
  if (!equal(expected.commit, commit)) throw new NotOpened();
  try {
    return xchacha20poly1305(expected.k, kZeroNonce, clear).decrypt(ciphertext) as Bytes;
  } catch {
    throw new NotOpened();
  }
}

/** The unit that Padmé rounds a length up to; lengths under 2 stay. */
function padmeUnit(length: number): number {
  if (length < 2) return 1;
  const exponent = 31 - Math.clz32(length);
  return 2 ** (exponent - (32 - Math.clz32(exponent)));
}

/**
 * Padmé: the padded length says little of the true one, for at most 12 % more bytes.
 * @param length below 2^31
 */
export function padmeLength(length: number): number {
  const unit = padmeUnit(length);
  return Math.ceil(length / unit) * unit;
}

/**
 * The longest plaintext whose padded, sealed block has at most `blockBytes`.
 * @throws RangeError where not even an empty one fits
 */
export function maxPlaintextBytes(blockBytes: number): number {
  const room = Math.min(blockBytes, kMaxBlockBytes) - kSealOverheadBytes;
  if (room < 1) throw new RangeError("The limit leaves no room for a sealed block.");
  const unit = padmeUnit(room);
  return Math.floor(room / unit) * unit - 1;
}

function unpad(padded: Bytes): Bytes {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end--;
  if (end < 0 || padded[end] !== 0x80 || padmeLength(end + 1) !== padded.length) {
    throw new NotOpened();
  }
  return padded.subarray(0, end);
}

export interface SealOptions {
  /** Hides the length up to Padmé's steps; default true. */
  readonly padded?: boolean;
  /** 24 bytes, never used twice under one key for two plaintexts; default random. */
  readonly salt?: Uint8Array;
}

/**
 * Seals a block.
 * @param key 32 bytes: a read secret's block key
 * @throws RangeError for a key or salt of another length, or a block over 16 MiB
 */
export function sealBlock(
  plaintext: Uint8Array,
  key: Uint8Array,
  options: SealOptions = {},
): Bytes {
  const { padded = true, salt = randomBytes(kSaltBytes) } = options;
  if (salt.length !== kSaltBytes || key.length !== 32) {
    throw new RangeError("A key has 32 bytes, a salt 24.");
  }
  const textBytes = padded ? padmeLength(plaintext.length + 1) : plaintext.length;
  if (textBytes + kSealOverheadBytes > kMaxBlockBytes) {
    throw new RangeError("A block has at most 16 MiB.");
  }
  const block = new Uint8Array(textBytes + kSealOverheadBytes);
  block.set(kStart);
  block[kFlagsAt] = padded ? kPadded : 0;
  block.set(salt, kSaltAt);
  const { k, commit } = sealKeyOf(key, block.subarray(0, kCommitAt));
  block.set(commit, kCommitAt);
  // The text is laid out where its ciphertext goes, and encrypted in place.
  const body = block.subarray(kHeaderBytes);
  const text = body.subarray(0, textBytes);
  text.set(plaintext);
  if (padded) text[plaintext.length] = 0x80;
  encryptInto(k, text, block.subarray(0, kHeaderBytes), body);
  return block;
}

/**
 * Opens a block that {@link sealBlock} made, and takes its padding off.
 * @throws NotOpened for anything else; by design it does not say why
 */
export function openBlock(block: Uint8Array, key: Uint8Array): Bytes {
  if (block.length < kSealOverheadBytes || block.length > kMaxBlockBytes) throw new NotOpened();
  const flags = block[kFlagsAt]!;
  if (kStart.some((byte, i) => block[i] !== byte) || (flags & ~kPadded) !== 0) {
    throw new NotOpened();
  }
  const text = openSealed(
    key,
    block.subarray(0, kCommitAt),
    block.subarray(kCommitAt, kHeaderBytes),
    block.subarray(0, kHeaderBytes),
    block.subarray(kHeaderBytes),
  );
  return (flags & kPadded) !== 0 ? unpad(text) : text;
}
