// Ids of blocks, chains and links (docs/formats.md, "Ids"): SHA-256, written as 64 lower-case
// hexadecimal digits. The other spelling that is read is cid.ts's.

import { fromHex, toHex, type Bytes } from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import { sha256Of, sha256Sync } from "./sha256.js";

/** 64 lower-case hexadecimal digits: the SHA-256 of a block's bytes. */
export type BlockId = string;
/** The same, of a chain's manifest. */
export type ChainId = string;
/** The same, of a link's bytes, its signature included. */
export type LinkId = string;

export const kIdBytes = 32;

/** The 32 bytes of an id. @throws FormatError for any text but 64 lower-case hexadecimal digits */
export function idBytes(text: string): Bytes {
  const bytes = fromHex(text);
  if (bytes?.length === kIdBytes) return bytes;
  throw new FormatError("This is not an id: 64 lower-case hexadecimal digits.");
}

/** The text itself, where it is an id. @throws FormatError */
export function checkId(text: string): string {
  idBytes(text);
  return text;
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
