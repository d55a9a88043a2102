// What can be stored as a file, cut into chunks. Of a source of any size no more than a chunk is
// held here.

import type { Bytes } from "../base/bytes.js";

/** A File is a Blob. Bytes must not change while they are stored; a stream is read once. */
export type FileSource = Blob | Uint8Array | ArrayBuffer | ReadableStream<Uint8Array>;

/** Whether the source can be read again from its beginning. */
export function isRewindable(source: FileSource): boolean {
  return !(source instanceof ReadableStream);
}

/** Bytes, or `undefined` where only the end will tell. */
export function sizeOf(source: FileSource): number | undefined {
  if (source instanceof ReadableStream) return undefined;
  return source instanceof Blob ? source.size : source.byteLength;
}

/** Chunks of exactly `size` bytes, the last one shorter; each is the caller's own. */
export async function* chunksOf(
  source: FileSource,
  size: number,
): AsyncGenerator<Bytes, void, undefined> {
  if (source instanceof ReadableStream) {
    yield* cut(source, size);
    return;
  }
  const whole = source instanceof ArrayBuffer ? new Uint8Array(source) : source;
  const total = whole instanceof Blob ? whole.size : whole.length;
  for (let at = 0; at < total; at += size) {
    const part = whole.slice(at, Math.min(at + size, total));
    yield part instanceof Blob ? new Uint8Array(await part.arrayBuffer()) : (part as Bytes);
  }
}

async function* cut(
  stream: ReadableStream<Uint8Array>,
  size: number,
): AsyncGenerator<Bytes, void, undefined> {
  const reader = stream.getReader();
  let chunk = new Uint8Array(size);
  let filled = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      for (let rest = part.value; rest.length > 0; ) {
        const taken = rest.subarray(0, size - filled);
        chunk.set(taken, filled);
        filled += taken.length;
        rest = rest.subarray(taken.length);
        if (filled < size) continue;
        yield chunk;
        chunk = new Uint8Array(size);
        filled = 0;
      }
    }
    if (filled > 0) yield chunk.slice(0, filled);
  } finally {
    // Where the consumer stopped early, the producer must hear of it.
    await reader.cancel().catch(() => {});
  }
}
