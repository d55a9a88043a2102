// Seals and opens the blocks of files: here in the caller's thread. A page that must stay smooth
// gives one of its own that does it in a worker.

import type { Bytes } from "../base/bytes.js";
import { blockIdOf, type BlockId } from "../formats/ids.js";
import { openBlock, sealBlock } from "../formats/seal.js";

/** Calls may come several at once. */
export interface Sealer {
  /** @param plaintext is the callee's from then on: it may be moved to another thread */
  seal(plaintext: Bytes, key: Bytes, salt: Bytes): Promise<{ id: BlockId; block: Bytes }>;
  /** @throws NotOpened */
  open(block: Bytes, key: Bytes): Promise<Bytes>;
}

export const kOwnThread: Sealer = {
  async seal(plaintext, key, salt) {
    const block = sealBlock(plaintext, key, { salt });
    return { id: await blockIdOf(block), block };
  },
  async open(block, key) {
    return openBlock(block, key);
  },
};
