// Blocks kept on the client. What is read is hashed again: a cache can be old, damaged or filled by
// somebody else, and must never be what makes a wrong block pass.

import type { Bytes } from "../base/bytes.js";
import { blockIdOf, type BlockId } from "../formats/ids.js";

/** What {@link VerifyingCache} is laid over. Calls may fail; then the cache is as good as empty. */
export interface BlockShelf {
  get(id: BlockId): Promise<Bytes | undefined>;
  put(id: BlockId, bytes: Uint8Array): Promise<void>;
  delete(id: BlockId): Promise<void>;
}

/** Blocks by id, each what its id says. Never throws. */
export interface BlockCache {
  get(id: BlockId): Promise<Bytes | undefined>;
  put(id: BlockId, bytes: Uint8Array): Promise<void>;
}

export class VerifyingCache implements BlockCache {
  readonly #shelf: BlockShelf;
  #damaged = 0;

  constructor(shelf: BlockShelf) {
    this.#shelf = shelf;
  }

  /** Blocks that were not what their id says, and were dropped. */
  get damaged(): number {
    return this.#damaged;
  }

  async get(id: BlockId): Promise<Bytes | undefined> {
    try {
      const bytes = await this.#shelf.get(id);
      if (!bytes || (await blockIdOf(bytes)) === id) return bytes;
      this.#damaged++;
      await this.#shelf.delete(id);
    } catch {
      // As good as empty.
    }
    return undefined;
  }

  /** `bytes` are those of `id`: the caller has checked, or has made them. */
  async put(id: BlockId, bytes: Uint8Array): Promise<void> {
    try {
      await this.#shelf.put(id, bytes);
    } catch {
      // Full, or gone: it can be fetched again.
    }
  }
}
