// Frames of the API (docs/formats.md, "Frames of the block API"): a length and as many bytes, in
// front of them an id where blocks are fetched.

import { concat, u32, viewOf, type Bytes } from "../base/bytes.js";
import type { Answer } from "./answer.js";

const kLengthBytes = 4;

/** Each as length (u32, little-endian) and bytes. */
export function encodeFrames(items: readonly Uint8Array[]): Bytes {
  return concat(...items.flatMap((item) => [u32(item.length), item]));
}

/**
 * All frames of a body.
 * @throws BadAnswer over `maxFrames`, for a frame over `maxBytes`, and where a frame is cut off
 */
export async function readFrames(
  answer: Answer,
  maxFrames: number,
  maxBytes: number,
): Promise<Bytes[]> {
  const body = await answer.bytes(maxFrames * (kLengthBytes + maxBytes));
  const frames: Bytes[] = [];
  for (let at = 0; at < body.length; ) {
    const start = at + kLengthBytes;
    const size = start <= body.length ? viewOf(body).getUint32(at, true) : maxBytes + 1;
    at = start + size;
    if (size > maxBytes || at > body.length) throw answer.bad("it ends within a frame");
    frames.push(body.slice(start, at));
  }
  if (frames.length > maxFrames) throw answer.bad("more than was asked for");
  return frames;
}
