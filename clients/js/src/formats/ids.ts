// Ids of blocks, chains and links (docs/formats.md, "Ids"): SHA-256, written as 64 lower-case
// hexadecimal digits. Where an id is read, the CIDv1 spelling is taken too.

import { concat, fromHex, toHex, type Bytes } from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import { sha256Of, sha256Sync } from "./sha256.js";

/** 64 lower-case hexadecimal digits: the SHA-256 of a block's bytes. */
export type BlockId = string;
/** The same, of a chain's manifest. */
export type ChainId = string;
/** The same, of a link's bytes, its signature included. */
export type LinkId = string;

export const kIdBytes = 32;

const kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
/** Version 1, codec raw, sha2-256, 32 bytes. */
const kCidPrefix = Uint8Array.of(0x01, 0x55, 0x12, 0x20);
const kCidLength = 59;

function toBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += kAlphabet[(held >> (bits - 5)) & 31];
  }
  return bits > 0 ? text + kAlphabet[(held << (5 - bits)) & 31] : text;
}

function fromBase32(text: string): Bytes | undefined {
  const out = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const c of text) {
    const value = kAlphabet.indexOf(c);
    if (value < 0) return undefined;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (held >> bits) & 0xff;
    }
  }
  return out;
}

/** The CIDv1 spelling, `bafkrei…`, by which IPFS tools name the same block. */
export function toCid(id: BlockId): string {
  return "b" + toBase32(concat(kCidPrefix, idBytes(id)));
}

/**
 * Reads either spelling of an id.
 * @throws FormatError for any other text.
 */
export function parseId(text: string): string {
  if (text.length === 2 * kIdBytes && fromHex(text)) return text;
  if (text.length === kCidLength && text[0] === "b") {
    const raw = fromBase32(text.slice(1));
    const id = raw && toHex(raw.subarray(kCidPrefix.length));
    // Writing it again catches another prefix and stray bits at the end.
    if (id !== undefined && toCid(id) === text) return id;
  }
  throw new FormatError("This is not an id: 64 lower-case hexadecimal digits, or its CIDv1.");
}

/** The 32 bytes of an id in either spelling. @throws FormatError */
export function idBytes(text: string): Bytes {
  return fromHex(parseId(text))!;
}

/** The id of a block. */
export async function blockIdOf(bytes: Uint8Array): Promise<BlockId> {
  return toHex(await sha256Of(bytes));
}

/** The id of a chain, by its manifest. */
export function chainIdOf(manifest: Uint8Array): ChainId {
  return toHex(sha256Sync(manifest));
}

/** The id of a link, by all of its bytes. */
export function linkIdOf(link: Uint8Array): LinkId {
  return toHex(sha256Sync(link));
}
