// Storing a file and fetching it back: cut, seal, put; get, check, open. A few blocks are under way
// at once, and never more than that of the file is in memory while it is stored.

import { decodeIndex, encodeIndex } from "./file_index.js";
import { NodeError } from "./node_client.js";
import { blockKeyOf, kSecretBytes, maxPlaintextBytes } from "./seal.js";

const kInFlight = 4;
/** Block limits to try, largest first: a node may be set to less than the default. */
const kBlockLimits = [1024 * 1024, 256 * 1024, 64 * 1024, 16 * 1024];

/** What this page takes, so that a preview fits in memory. The node itself has no such limit. */
export const kMaxFileBytes = 256 * 1024 * 1024;

/**
 * @typedef {import("./node_client.js").NodeClient} NodeClient
 * @typedef {import("./sealer.js").Sealer} Sealer
 * @typedef {{ done: number, total: number, bytes: number }} Progress blocks, and plaintext bytes
 * @typedef {{ client: NodeClient, sealer: Sealer, signal: AbortSignal,
 *   onProgress: (progress: Progress) => void }} Work
 */

/**
 * Runs task(0) to task(count - 1), kInFlight at once; the first failure stops the rest.
 * @param {number} count @param {AbortSignal} signal
 * @param {(i: number, signal: AbortSignal) => Promise<void>} task
 */
async function runInFlight(count, signal, task) {
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  let next = 0;
  const lane = async () => {
    while (next < count) {
      stop.signal.throwIfAborted();
      await task(next++, stop.signal);
    }
  };
  const lanes = Array.from({ length: Math.min(kInFlight, count) }, lane);
  try {
    await Promise.all(lanes);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(lanes);
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * @typedef {object} StoredFile
 * @property {string} id of the index block
 * @property {Uint8Array} read the file's read secret
 * @property {number} blocks how many, without the index
 * @property {number} storedBytes on the node, with the index
 * @property {number} sealMs @property {number} putMs sums over all blocks
 * @property {number} ms from first to last
 */

/**
 * @param {File} file @param {Work} work @param {number} blockLimit bytes
 * @returns {Promise<StoredFile>}
 */
async function storeWithLimit(file, { client, sealer, signal, onProgress }, blockLimit) {
  const started = performance.now();
  const read = crypto.getRandomValues(new Uint8Array(kSecretBytes));
  const blockKey = blockKeyOf(read);
  const chunk = maxPlaintextBytes(blockLimit);
  const total = Math.ceil(file.size / chunk);
  /** @type {string[]} */
  const ids = new Array(total);
  const sum = { storedBytes: 0, sealMs: 0, putMs: 0 };
  const progress = { done: 0, total: total + 1, bytes: 0 };

  /** @param {Uint8Array<ArrayBuffer>} plaintext @param {AbortSignal} stop */
  const storeBlock = async (plaintext, stop) => {
    const length = plaintext.length;
    const sealed = await sealer.seal(plaintext, blockKey);
    sum.storedBytes += sealed.block.length;
    sum.sealMs += sealed.ms;
    const { ms } = await client.put(sealed.id, sealed.block, stop);
    sum.putMs += ms;
    progress.done++;
    return { id: sealed.id, length };
  };

  onProgress(progress);
  await runInFlight(total, signal, async (i, stop) => {
    const part = file.slice(i * chunk, Math.min(file.size, (i + 1) * chunk));
    const stored = await storeBlock(new Uint8Array(await part.arrayBuffer()), stop);
    ids[i] = stored.id;
    progress.bytes += stored.length;
    onProgress(progress);
  });
  const { name, type, size } = file;
  const index = encodeIndex({ name, type, size, chunk, blocks: ids });
  if (index.length > chunk) {
    throw new NodeError("too-large", "The list of this file's blocks does not fit into one block.");
  }
  const { id } = await storeBlock(index, signal);
  onProgress(progress);
  return { id, read, blocks: total, ...sum, ms: performance.now() - started };
}

let fittingLimit = 0;

/**
 * Stores a file; where the node takes smaller blocks only, cuts it smaller and begins again.
 * @param {File} file @param {Work} work @returns {Promise<StoredFile>}
 */
export async function storeFile(file, work) {
  for (; ; fittingLimit++) {
    try {
      return await storeWithLimit(file, work, kBlockLimits[fittingLimit]);
    } catch (error) {
      const smaller = error instanceof NodeError && error.status === 413;
      if (!smaller || fittingLimit + 1 >= kBlockLimits.length) throw error;
    }
  }
}

/**
 * @typedef {object} FetchedBlock
 * @property {string} id @property {boolean} isIndex @property {number} size sealed, bytes
 * @property {string} source which part of the node answered @property {number} ms
 *
 * @typedef {object} FetchedFile
 * @property {import("./file_index.js").FileIndex} index
 * @property {Blob} blob the file, opened
 * @property {FetchedBlock[]} blocks the index first, then in the order of the file
 * @property {{ sealed: Uint8Array, opened: Uint8Array }} sight one block as the node holds it, and
 *   what was in it
 * @property {number} openMs sum over all blocks @property {number} ms from first to last
 */

/**
 * @param {import("./share_link.js").FileKey} file @param {Work} work
 * @returns {Promise<FetchedFile>} rejects with NodeError or TamperError
 */
export async function fetchFile(file, { client, sealer, signal, onProgress }) {
  const started = performance.now();
  const blockKey = blockKeyOf(file.read);
  /** @type {FetchedBlock[]} */
  const blocks = [];
  let openMs = 0;

  /** @param {string} id @param {number} at in blocks @param {AbortSignal} stop */
  const fetchBlock = async (id, at, stop) => {
    const got = await client.get(id, stop);
    const opened = await sealer.open(got.bytes, id, blockKey);
    openMs += opened.ms;
    blocks[at] = {
      id,
      isIndex: at === 0,
      size: opened.block.length,
      source: got.source,
      ms: got.ms,
    };
    return opened;
  };

  const first = await fetchBlock(file.id, 0, signal);
  const index = decodeIndex(first.plaintext);
  if (index.size > kMaxFileBytes) throw new Error("This file is larger than this page can open.");
  let sight = { sealed: first.block, opened: first.plaintext };
  const progress = { done: 1, total: index.blocks.length + 1, bytes: 0 };
  /** @type {Blob[]} */
  const parts = new Array(index.blocks.length);
  onProgress(progress);
  await runInFlight(index.blocks.length, signal, async (i, stop) => {
    const { plaintext, block } = await fetchBlock(index.blocks[i], i + 1, stop);
    if (i === 0) sight = { sealed: block, opened: plaintext };
    parts[i] = new Blob([plaintext]);
    progress.done++;
    progress.bytes += plaintext.length;
    onProgress(progress);
  });
  if (progress.bytes !== index.size) {
    throw new Error("The blocks of this file do not add up to the size that its index says.");
  }
  const blob = new Blob(parts, { type: index.type });
  return { index, blob, blocks, sight, openMs, ms: performance.now() - started };
}
