// Stores a file: cut, seal, put; several chunks at once, and the index as it grows, so that a file
// of any size needs the memory of a few chunks, and of its blocks' ids.

import { blake2b } from "@noble/hashes/blake2.js";

import { concat, u32, type Bytes } from "../base/bytes.js";
import type { BlockId } from "../formats/ids.js";
import { blockKeyOf, deriveKey } from "../formats/keys.js";
import { kSaltBytes } from "../formats/seal.js";
import { sha256Of } from "../formats/sha256.js";
import type { Blocks } from "../node/blocks.js";
import { encodeNode, encodeRoot, fanoutOf, rootRoom } from "./file_index.js";
import type { Sealer } from "./sealer.js";
import { chunksOf, type FileSource } from "./source.js";
import { inOrder } from "./window.js";

export interface FileJob {
  readonly source: FileSource;
  readonly name: string;
  readonly type: string;
  readonly secret: Bytes;
  readonly chunkBytes: number;
  /** Chunks under way at once. */
  readonly width: number;
  /** Whether blocks may be there already, from a call that was cut off. */
  readonly resumes: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onBlock: (plainBytes: number, level: number) => void;
}

export interface WrittenFile {
  /** Of the root of the index. */
  readonly id: BlockId;
  readonly size: number;
  /** All of its blocks, the root last: what a link must refer to that keeps the file alive. */
  readonly ids: readonly BlockId[];
  readonly storedBytes: number;
}

export class FileWriter {
  readonly #blocks: Blocks;
  readonly #sealer: Sealer;
  readonly #job: FileJob;
  readonly #blockKey: Bytes;
  readonly #saltKey: Bytes;
  /** Ids that are not in a node yet: of data blocks, of nodes of level 1, … */
  readonly #open: BlockId[][] = [[]];
  readonly #ids: BlockId[] = [];
  /** Blocks of each level so far, which is where the next stands. */
  readonly #counts: number[] = [];
  #storedBytes = 0;

  constructor(blocks: Blocks, sealer: Sealer, job: FileJob) {
    this.#blocks = blocks;
    this.#sealer = sealer;
    this.#job = job;
    this.#blockKey = blockKeyOf(job.secret);
    this.#saltKey = deriveKey(job.secret, 1, "cairn-f1");
  }

  /** @throws what {@link Blocks.put} throws, or what reading the source does */
  async write(): Promise<WrittenFile> {
    const { source, name, type, chunkBytes, width, signal } = this.#job;
    let size = 0;
    const stored = inOrder(chunksOf(source, chunkBytes), width, signal, async (chunk, stop) => {
      const { length } = chunk;
      return { length, id: await this.#store(0, chunk, stop) };
    });
    for await (const { length, id } of stored) {
      size += length;
      await this.#add(0, id);
    }
    const { depth, ids } = await this.#close(rootRoom({ name, type, chunkBytes }));
    const root = encodeRoot({ name, type, size, chunkBytes, depth, ids });
    const id = await this.#store(depth + 1, root, signal);
    return { id, size, ids: [...this.#ids, id], storedBytes: this.#storedBytes };
  }

  async #add(level: number, id: BlockId): Promise<void> {
    const ids = (this.#open[level] ??= []);
    if (ids.length >= fanoutOf(this.#job.chunkBytes)) await this.#closeNode(level);
    this.#open[level]!.push(id);
    this.#ids.push(id);
  }

  async #closeNode(level: number): Promise<void> {
    const node = encodeNode(level + 1, this.#open[level]!);
    this.#open[level] = [];
    await this.#add(level + 1, await this.#store(level + 1, node, this.#job.signal));
  }

  /** Closes what is open, up to the level whose ids fit into the root. */
  async #close(room: number): Promise<{ depth: number; ids: readonly BlockId[] }> {
    let depth = 0;
    while (depth + 1 < this.#open.length || this.#open[depth]!.length > room) {
      await this.#closeNode(depth);
      depth++;
    }
    return { depth, ids: this.#open[depth]! };
  }

  async #store(level: number, plaintext: Bytes, signal: AbortSignal | undefined): Promise<BlockId> {
    const { length } = plaintext;
    const place = this.#counts[level] ?? 0;
    this.#counts[level] = place + 1;
    const salt = await this.#saltOf(level, place, plaintext);
    const { id, block } = await this.#sealer.seal(plaintext, this.#blockKey, salt);
    this.#storedBytes += block.length;
    const held = this.#job.resumes && !(await this.#blocks.missing([id], { signal })).has(id);
    if (!held) await this.#blocks.put(block, { signal });
    this.#job.onBlock(length, level);
    return id;
  }

  /**
   * The same for the same bytes at the same place under the same secret, so that a file that is
   * stored again becomes the same blocks; and nothing that an outsider could tell from chance.
   */
  async #saltOf(level: number, place: number, plaintext: Bytes): Promise<Bytes> {
    const message = concat(u32(level), u32(place), await sha256Of(plaintext));
    return blake2b(message, { dkLen: kSaltBytes, key: this.#saltKey }) as Bytes;
  }
}
