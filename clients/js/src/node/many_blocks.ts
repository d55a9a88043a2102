// Many blocks in one call of the block API.

import { toHex, type Bytes } from "../base/bytes.js";
import { Refused } from "../base/errors.js";
import { blockIdOf, kIdBytes, checkId, type BlockId } from "../formats/ids.js";
import { kMaxBlockBytes } from "../formats/seal.js";
import type { Answer } from "./answer.js";
import { checkBlock, type Blocks, type CallOptions } from "./blocks.js";
import { FrameReader } from "./frame_reader.js";
import { encodeFrames } from "./frames.js";

const kMaxAtOnce = 1000;
/** Half of what a node takes in one call. */
const kMaxBatchBytes = 32 * 1024 * 1024;
const kNotHeld = 0xffffffff;
const kNotJustNow = 0xfffffffe;
const kFrames = { "Content-Type": "application/vnd.cairn.blocks" };
const kJson = { "Content-Type": "application/json" };

/** A block that was asked for; no bytes where the node does not hold it. */
export interface FetchedBlock {
  readonly id: BlockId;
  readonly bytes: Bytes | undefined;
}

/**
 * Stores many blocks in few calls.
 * @returns their ids, in order, when all are durable
 * @throws Refused for the first that was refused; others may have been stored
 */
export async function putBlocks(
  blocks: Blocks,
  all: readonly Uint8Array[],
  { signal }: CallOptions = {},
): Promise<BlockId[]> {
  const ids = await Promise.all(all.map(blockIdOf));
  for (let at = 0, end = 0; at < all.length; at = end) {
    for (let size = 0; end < all.length && end - at < kMaxAtOnce; end++) {
      size += all[end]!.length;
      if (size > kMaxBatchBytes && end > at) break;
    }
    const body = encodeFrames(all.slice(at, end));
    const request = { method: "POST", headers: kFrames, body, signal } as const;
    const expected = ids.slice(at, end);
    await blocks.transport.call("/blocks/batch", request, (answer) =>
      checkResults(answer, expected),
    );
  }
  return ids;
}

/**
 * Fetches many blocks, a thousand an answer, in the order asked. Goes around the cache.
 * @throws WrongBytes, BadAnswer (cut off, another order), Refused, Unreachable
 */
export async function* getBlocks(
  blocks: Blocks,
  ids: Iterable<BlockId>,
  { signal }: CallOptions = {},
): AsyncGenerator<FetchedBlock, void, undefined> {
  const wanted = [...ids].map(checkId);
  for (let at = 0; at < wanted.length; at += kMaxAtOnce) {
    const asked = wanted.slice(at, at + kMaxAtOnce);
    const request = {
      method: "POST",
      headers: kJson,
      body: JSON.stringify({ ids: asked }),
      signal,
    } as const;
    yield* blocks.transport.stream("/blocks/fetch", request, async function* (answer) {
      const reader = new FrameReader(answer);
      for (const id of asked) yield await readFetched(reader, answer, id, blocks, signal);
      if ((await reader.take(1)) !== undefined) throw answer.bad("more than was asked for");
    });
  }
}

async function readFetched(
  reader: FrameReader,
  answer: Answer,
  id: BlockId,
  blocks: Blocks,
  signal: AbortSignal | undefined,
): Promise<FetchedBlock> {
  if (toHex(await reader.takeAll(kIdBytes)) !== id) throw answer.bad("a block in another's place");
  const size = (await reader.takeLength()) ?? 0;
  if (size === kNotHeld) return { id, bytes: undefined };
  if (size === kNotJustNow) return blocks.get(id, { signal });
  if (size === 0 || size > kMaxBlockBytes) throw answer.bad("a frame without a block");
  return { id, bytes: await checkBlock(id, await reader.takeAll(size)) };
}

async function checkResults(answer: Answer, ids: readonly BlockId[]): Promise<void> {
  const { results } = await answer.json();
  if (!Array.isArray(results) || results.length !== ids.length) {
    throw answer.bad("no result for each frame");
  }
  results.forEach((result: Record<string, unknown> | null, i) => {
    const status = Number(result?.["status"]);
    if (status === 200 || status === 201) {
      if (result?.["id"] !== ids[i]) throw answer.bad("a block was stored under another id");
      return;
    }
    const text = (name: string): string => String(result?.[name] ?? "");
    throw new Refused({
      status,
      type: text("type"),
      title: text("title"),
      detail: "",
      hint: "",
      more: {},
    });
  });
}
