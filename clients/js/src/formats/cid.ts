// The other spelling of a block's id: CIDv1 with the raw codec and sha2-256, `bafkrei…`, by which
// IPFS tools name the same bytes.

import { concat, toHex, type Bytes } from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import { checkId, idBytes, type BlockId } from "./ids.js";

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

/** @throws FormatError for what is no id */
export function toCid(id: BlockId): string {
  return "b" + toBase32(concat(kCidPrefix, idBytes(id)));
}

/**
 * Reads an id as people and other tools write it, in either spelling.
 * @throws FormatError for any other text
 */
export function parseId(text: string): BlockId {
  if (text.length !== kCidLength) return checkId(text);
  if (text[0] === "b") {
    const raw = fromBase32(text.slice(1));
    const id = raw && toHex(raw.subarray(kCidPrefix.length));
    // Writing it again catches another prefix and stray bits at the end.
    if (id !== undefined && toCid(id) === text) return id;
  }
  throw new FormatError("This is not the CIDv1 of a block.");
}
