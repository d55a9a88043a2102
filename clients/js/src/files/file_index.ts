// The index of a stored file (FORMATS.md, "Files"): a tree whose leaves are the file's blocks. Its
// root and nodes are sealed as blocks are. Pure; no I/O.

import { concat, fromUtf8, toHex, u32, utf8, viewOf, readU64, type Bytes } from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import { idBytes, kIdBytes, type BlockId } from "../formats/ids.js";

const kRootStart = [0x46, 0x31, 1] as const;
const kNodeStart = [0x46, 0x32, 1] as const;
const kLevelAt = 3;
const kNodeHeaderBytes = 4;
const kChunkAt = 4;
const kSizeAt = 8;
const kNameBytesAt = 16;
const kTypeBytesAt = 18;
const kRootHeaderBytes = 20;
export const kMaxNameBytes = 1024;
export const kMaxTypeBytes = 256;
/** 32 to the power of it is more than any file has. */
const kMaxDepth = 12;
const kMinChunkBytes = 256;

/** What the root says. `ids` are of nodes of level `depth`, or of data blocks where that is 0. */
export interface FileRoot {
  readonly name: string;
  /** Media type, "" when unknown. */
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes of plaintext in each data block but the last. */
  readonly chunkBytes: number;
  readonly depth: number;
  readonly ids: readonly BlockId[];
}

/** Ids in a full node. */
export function fanoutOf(chunkBytes: number): number {
  return Math.floor((chunkBytes - kNodeHeaderBytes) / kIdBytes);
}

/** How many data blocks (level 0) or nodes (level 1 and up) the file has. */
export function countAt(
  level: number,
  { size, chunkBytes }: Pick<FileRoot, "size" | "chunkBytes">,
): number {
  let count = Math.ceil(size / chunkBytes);
  for (let at = 0; at < level; at++) count = Math.ceil(count / fanoutOf(chunkBytes));
  return count;
}

function wrong(): FormatError {
  return new FormatError("The block opened, but it is not the index of a file.");
}

function readIds(raw: Uint8Array): BlockId[] {
  const ids: BlockId[] = [];
  for (let at = 0; at < raw.length; at += kIdBytes) {
    ids.push(toHex(raw.subarray(at, at + kIdBytes)));
  }
  return ids;
}

/** Ids that fit into a root beside its name and type. */
export function rootRoom({
  name,
  type,
  chunkBytes,
}: Pick<FileRoot, "name" | "type" | "chunkBytes">): number {
  const header = kRootHeaderBytes + utf8(name).length + utf8(type).length;
  return Math.floor((chunkBytes - header) / kIdBytes);
}

/** @throws RangeError for a name over 1,024 bytes of UTF-8, or a type over 256 */
export function encodeRoot({ name, type, size, chunkBytes, depth, ids }: FileRoot): Bytes {
  const texts = [utf8(name), utf8(type)] as const;
  if (texts[0].length > kMaxNameBytes) throw new RangeError("A name has at most 1,024 bytes.");
  if (texts[1].length > kMaxTypeBytes) throw new RangeError("A type has at most 256 bytes.");
  const header = new Uint8Array(kRootHeaderBytes);
  const view = viewOf(header);
  header.set([...kRootStart, depth]);
  header.set(u32(chunkBytes), kChunkAt);
  view.setBigUint64(kSizeAt, BigInt(size), true);
  view.setUint16(kNameBytesAt, texts[0].length, true);
  view.setUint16(kTypeBytesAt, texts[1].length, true);
  return concat(header, ...texts, ...ids.map(idBytes));
}

/** Every field is checked: a link to a file can come from anyone. @throws FormatError */
export function decodeRoot(raw: Uint8Array): FileRoot {
  if (raw.length < kRootHeaderBytes || kRootStart.some((byte, i) => raw[i] !== byte)) throw wrong();
  const view = viewOf(raw);
  const depth = raw[kLevelAt]!;
  const chunkBytes = view.getUint32(kChunkAt, true);
  const size = readU64(view, kSizeAt);
  const nameEnd = kRootHeaderBytes + view.getUint16(kNameBytesAt, true);
  const typeEnd = nameEnd + view.getUint16(kTypeBytesAt, true);
  const name = fromUtf8(raw.subarray(kRootHeaderBytes, nameEnd));
  const type = fromUtf8(raw.subarray(nameEnd, typeEnd));
  const inBounds =
    chunkBytes >= kMinChunkBytes &&
    depth <= kMaxDepth &&
    Number.isSafeInteger(size) &&
    nameEnd - kRootHeaderBytes <= kMaxNameBytes &&
    typeEnd - nameEnd <= kMaxTypeBytes;
  if (!inBounds || name === undefined || type === undefined) throw wrong();
  if (raw.length !== typeEnd + countAt(depth, { size, chunkBytes }) * kIdBytes) throw wrong();
  return { name, type, size, chunkBytes, depth, ids: readIds(raw.subarray(typeEnd)) };
}

/** @param level 1 where the ids are of data blocks */
export function encodeNode(level: number, ids: readonly BlockId[]): Bytes {
  return concat(Uint8Array.of(...kNodeStart, level), ...ids.map(idBytes));
}

/** @throws FormatError where it is not a node of this level with so many ids */
export function decodeNode(raw: Uint8Array, level: number, count: number): BlockId[] {
  const shaped = raw.length === kNodeHeaderBytes + count * kIdBytes && raw[kLevelAt] === level;
  if (!shaped || kNodeStart.some((byte, i) => raw[i] !== byte)) throw wrong();
  return readIds(raw.subarray(kNodeHeaderBytes));
}
