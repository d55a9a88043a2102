// Sealing, suite 1 (docs: formats, "Sealing (blocks and payloads)"):
//
//   "B1" | suite 1 | flags | salt[24] | commit[32] | ciphertext+tag
//
// (k | commit) = keyed BLAKE2b-512 over the first 28 bytes; XChaCha20-Poly1305 under k with a zero
// nonce (k is fresh for each salt) and the first 60 bytes as additional data. The commit is checked
// before anything is decrypted, so that one ciphertext cannot open under two keys. Pure; no I/O.

import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { blake2b } from "@noble/hashes/blake2.js";

import { equalInConstantTime } from "./bytes.js";

const kSuite = 1;
const kFlagPadded = 1;
const kSaltAt = 4;
const kCommitAt = 28;
const kHeaderBytes = 60;
const kTagBytes = 16;
const kZeroNonce = new Uint8Array(24);

export const kSecretBytes = 32;
/** What sealing adds to a plaintext, without padding. */
export const kSealOverheadBytes = kHeaderBytes + kTagBytes;
/** The parts of a sealed block's head, for a reader's eyes. */
export const kHeaderParts = [
  { name: "magic", from: 0, to: 2 },
  { name: "suite", from: 2, to: 3 },
  { name: "flags", from: 3, to: kSaltAt },
  { name: "salt", from: kSaltAt, to: kCommitAt },
  { name: "commit", from: kCommitAt, to: kHeaderBytes },
];

/** Why a block did not open. */
export class SealError extends Error {
  /** @param {"malformed" | "commit" | "tag" | "padding"} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "SealError";
    this.code = code;
  }
}

/**
 * libsodium's crypto_kdf_derive_from_key: BLAKE2b-256 of nothing, keyed, with the number of the
 * subkey as salt and the context as personalization.
 * @param {Uint8Array} secret 32 bytes @param {number | bigint} number below 2^64
 * @param {string} context 8 ASCII characters @returns {Uint8Array} 32 bytes
 */
export function deriveKey(secret, number, context) {
  if (secret.length !== kSecretBytes) throw new RangeError("a secret has 32 bytes");
  if (context.length !== 8) throw new RangeError("a context has 8 characters");
  const salt = new Uint8Array(16);
  new DataView(salt.buffer).setBigUint64(0, BigInt(number), true);
  const personalization = new Uint8Array(16);
  personalization.set(new TextEncoder().encode(context));
  return blake2b(new Uint8Array(0), { dkLen: 32, key: secret, salt, personalization });
}

/** @param {Uint8Array} readSecret @returns {Uint8Array} the key that seals blocks */
export function blockKeyOf(readSecret) {
  return deriveKey(readSecret, 2, "cairn-r1");
}

/** @param {number} length at least 1 @returns {number} the unit that Padmé rounds up to */
function padmeUnit(length) {
  const exponent = Math.floor(Math.log2(length));
  if (exponent < 1) return 1;
  const kept = Math.floor(Math.log2(exponent)) + 1;
  return 2 ** (exponent - kept);
}

/**
 * Padmé: the length says no more than its O(log log n) leading bits, for at most 12 % more bytes.
 * @param {number} length @returns {number} the padded length
 */
export function padmeLength(length) {
  if (length < 2) return length;
  const unit = padmeUnit(length);
  return Math.ceil(length / unit) * unit;
}

/**
 * @param {number} blockBytes a node's limit for a block
 * @returns {number} the longest plaintext whose padded, sealed block fits
 */
export function maxPlaintextBytes(blockBytes) {
  const room = blockBytes - kSealOverheadBytes;
  if (room < 2) throw new RangeError("the limit leaves no room for a sealed block");
  const unit = padmeUnit(room);
  return Math.floor(room / unit) * unit - 1;
}

/** ISO 7816-4: 0x80, then zeros. @param {Uint8Array} plaintext */
function pad(plaintext) {
  const padded = new Uint8Array(padmeLength(plaintext.length + 1));
  padded.set(plaintext);
  padded[plaintext.length] = 0x80;
  return padded;
}

/** @param {Uint8Array} padded */
function unpad(padded) {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end--;
  if (end < 0 || padded[end] !== 0x80 || padmeLength(end + 1) !== padded.length) {
    throw new SealError("padding", "The padding of this block is not as the format says.");
  }
  return padded.subarray(0, end);
}

/** @param {Uint8Array} block @param {Uint8Array} blockKey */
function keysOf(block, blockKey) {
  const both = blake2b(block.subarray(0, kCommitAt), { dkLen: 64, key: blockKey });
  return { key: both.subarray(0, 32), commit: both.subarray(32) };
}

/**
 * @param {Uint8Array} plaintext @param {Uint8Array} blockKey 32 bytes
 * @param {{ padded?: boolean, salt?: Uint8Array }} [options] a salt is given by tests only
 * @returns {Uint8Array<ArrayBuffer>} the sealed block
 */
export function sealBlock(plaintext, blockKey, options = {}) {
  const padded = options.padded ?? true;
  const salt = options.salt ?? crypto.getRandomValues(new Uint8Array(24));
  const body = padded ? pad(plaintext) : plaintext;
  const block = new Uint8Array(kSealOverheadBytes + body.length);
  block.set([0x42, 0x31, kSuite, padded ? kFlagPadded : 0]);
  block.set(salt, kSaltAt);
  const { key, commit } = keysOf(block, blockKey);
  block.set(commit, kCommitAt);
  const head = block.subarray(0, kHeaderBytes);
  xchacha20poly1305(key, kZeroNonce, head).encrypt(body, block.subarray(kHeaderBytes));
  return block;
}

/**
 * @param {Uint8Array} block @param {Uint8Array} blockKey 32 bytes
 * @returns {Uint8Array} the plaintext, its padding taken off
 * @throws {SealError}
 */
export function openBlock(block, blockKey) {
  if (block.length < kSealOverheadBytes || block[0] !== 0x42 || block[1] !== 0x31) {
    throw new SealError("malformed", "This is not a sealed block.");
  }
  if (block[2] !== kSuite || (block[3] & ~kFlagPadded) !== 0) {
    throw new SealError("malformed", "This block is sealed in a way that this page does not know.");
  }
  const { key, commit } = keysOf(block, blockKey);
  if (!equalInConstantTime(commit, block.subarray(kCommitAt, kHeaderBytes))) {
    throw new SealError("commit", "This block was sealed with another key.");
  }
  let plaintext;
  try {
    const head = block.subarray(0, kHeaderBytes);
    plaintext = xchacha20poly1305(key, kZeroNonce, head).decrypt(block.subarray(kHeaderBytes));
  } catch {
    throw new SealError("tag", "This block was changed after it was sealed.");
  }
  return (block[3] & kFlagPadded) !== 0 ? unpad(plaintext) : plaintext;
}
