// The block API of a node. Every block that comes in is held against its id.

import type { Bytes } from "../base/bytes.js";
import { Refused, WrongBytes } from "../base/errors.js";
import { blockIdOf, checkId, type BlockId } from "../formats/ids.js";
import { kMaxBlockBytes } from "../formats/seal.js";
import type { BlockCache } from "../keep/block_cache.js";
import type { Transport } from "./transport.js";

const kMaxIdsAtOnce = 1000;
const kBytes = { "Content-Type": "application/octet-stream" };
const kJson = { "Content-Type": "application/json" };

export interface CallOptions {
  /** Ends the call; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface HeldBlock {
  readonly id: BlockId;
  readonly bytes: Bytes;
  /**
   * Which tier answered: `memory`, `disk`, `storage`, `peer`; `cache` for the client's own; or "".
   */
  readonly source: string;
}

/** Ids are hexadecimal here; `parseId` reads the other spelling. */
export class Blocks {
  /** @internal */
  readonly transport: Transport;
  readonly #cache: BlockCache | undefined;

  constructor(transport: Transport, cache?: BlockCache) {
    this.transport = transport;
    this.#cache = cache;
  }

  /**
   * Stores a block; resolves when the node says that it is durable.
   * @param bytes 1 byte up to the site's limit (1 MiB unless configured)
   * @throws Refused (`too-large`, `denied`, `full`, `busy`), Unreachable
   */
  async put(bytes: Uint8Array, { signal }: CallOptions = {}): Promise<BlockId> {
    const id = await blockIdOf(bytes);
    const request = { method: "PUT", headers: kBytes, body: bytes, signal } as const;
    await this.transport.call(`/blocks/${id}`, request, (answer) => answer.bytes(0x10000));
    await this.#cache?.put(id, bytes);
    return id;
  }

  /**
   * @throws FormatError for a wrong id, Refused (`not-held`), Unreachable, WrongBytes
   */
  async get(id: BlockId, { signal }: CallOptions = {}): Promise<HeldBlock> {
    const wanted = checkId(id);
    const cached = await this.#cache?.get(wanted);
    if (cached) return { id: wanted, bytes: cached, source: "cache" };
    const block = await this.transport.call(`/blocks/${wanted}`, { signal }, async (answer) => {
      const bytes = await checkBlock(wanted, await answer.bytes(kMaxBlockBytes));
      return { id: wanted, bytes, source: answer.response.headers.get("Cairn-Source") ?? "" };
    });
    await this.#cache?.put(wanted, block.bytes);
    return block;
  }

  /**
   * The size in bytes of a block that the node holds, or `undefined`.
   * @throws Refused, Unreachable
   */
  async head(id: BlockId, { signal }: CallOptions = {}): Promise<number | undefined> {
    const request = { method: "HEAD", signal } as const;
    try {
      return await this.transport.call(`/blocks/${checkId(id)}`, request, async (answer) => {
        const size = Number(answer.response.headers.get("Content-Length") ?? NaN);
        if (!Number.isSafeInteger(size)) throw answer.bad("no Content-Length");
        return size;
      });
    } catch (error) {
      if (error instanceof Refused && error.code === "not-held") return undefined;
      throw error;
    }
  }

  /** Those of the ids that the node does not hold; any number may be asked. */
  async missing(ids: Iterable<BlockId>, { signal }: CallOptions = {}): Promise<Set<BlockId>> {
    const wanted = [...ids].map(checkId);
    const missing = new Set<BlockId>();
    for (let at = 0; at < wanted.length; at += kMaxIdsAtOnce) {
      const asked = wanted.slice(at, at + kMaxIdsAtOnce);
      const request = {
        method: "POST",
        headers: kJson,
        body: JSON.stringify({ ids: asked }),
        signal,
      } as const;
      const named = await this.transport.call("/blocks/missing", request, async (answer) => {
        const { missing: list } = await answer.json();
        const known = new Set<unknown>(asked);
        if (!Array.isArray(list) || !list.every((id) => known.has(id))) {
          throw answer.bad("no list of what is missing");
        }
        return list as BlockId[];
      });
      for (const id of named) missing.add(id);
    }
    return missing;
  }
}

/** @throws WrongBytes */
export async function checkBlock(asked: BlockId, bytes: Bytes): Promise<Bytes> {
  const actual = await blockIdOf(bytes);
  if (actual === asked) return bytes;
  throw new WrongBytes("The bytes are not those that the id names.", { asked, actual, bytes });
}
