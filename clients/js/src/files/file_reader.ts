// Reads a stored file: any part of it, as a stream, with a few blocks fetched ahead.

import { concat, type Bytes } from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import type { BlockId } from "../formats/ids.js";
import { blockKeyOf } from "../formats/keys.js";
import type { Blocks, CallOptions } from "../node/blocks.js";
import { countAt, decodeNode, decodeRoot, fanoutOf, type FileRoot } from "./file_index.js";
import type { Sealer } from "./sealer.js";
import { inOrder } from "./window.js";

/** What opens a file: its index, and the read secret under which it was sealed. */
export interface FileRef {
  readonly id: BlockId;
  /** 32 bytes. */
  readonly secret: Bytes;
}

export interface ReadOptions extends CallOptions {
  /** First byte wanted; default 0. */
  readonly start?: number;
  /** The byte after the last one wanted; default, and at most, the size. */
  readonly end?: number;
  /** Told after each block. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Progress {
  /** Of the file, so far. */
  readonly bytes: number;
  /** `undefined` while a stream has not ended. */
  readonly totalBytes: number | undefined;
  readonly blocks: number;
}

/** Nodes of the index that are kept while a file is read. */
const kMaxNodes = 16;

export class StoredFile {
  readonly #blocks: Blocks;
  readonly #sealer: Sealer;
  readonly #key: Bytes;
  readonly #root: FileRoot;
  readonly #width: number;
  readonly #nodes = new Map<BlockId, Promise<BlockId[]>>();

  private constructor(blocks: Blocks, sealer: Sealer, key: Bytes, root: FileRoot, width: number) {
    this.#blocks = blocks;
    this.#sealer = sealer;
    this.#key = key;
    this.#root = root;
    this.#width = width;
  }

  /**
   * @param width blocks under way at once
   * @throws NotOpened, FormatError where it is no file, WrongBytes, Refused (`not-held`),
   *   Unreachable
   */
  static async open(
    blocks: Blocks,
    sealer: Sealer,
    { id, secret }: FileRef,
    width: number,
    signal?: AbortSignal,
  ): Promise<StoredFile> {
    const key = blockKeyOf(secret);
    const { bytes } = await blocks.get(id, { signal });
    return new StoredFile(blocks, sealer, key, decodeRoot(await sealer.open(bytes, key)), width);
  }

  get name(): string {
    return this.#root.name;
  }

  /** Media type as whoever stored it said, "" when unknown. */
  get type(): string {
    return this.#root.type;
  }

  /** Bytes. */
  get size(): number {
    return this.#root.size;
  }

  /** Data blocks, without the index. */
  get blockCount(): number {
    return countAt(0, this.#root);
  }

  /**
   * A part of the file, each block checked before any of it is given.
   * @throws RangeError for a range outside of the file; the stream fails as {@link open} does
   */
  stream(options: ReadOptions = {}): ReadableStream<Bytes> {
    const parts = this.parts(options);
    return new ReadableStream<Bytes>(
      {
        async pull(controller) {
          const part = await parts.next();
          if (part.done) controller.close();
          else controller.enqueue(part.value);
        },
        async cancel() {
          await parts.return();
        },
      },
      // Blocks are fetched ahead already.
      { highWaterMark: 0 },
    );
  }

  /** The same as an async iterator. */
  parts(options: ReadOptions = {}): AsyncGenerator<Bytes, void, undefined> {
    const { start = 0, end = this.size } = options;
    const last = Math.min(end, this.size);
    const valid =
      Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= last;
    if (!valid) throw new RangeError(`The file has the bytes 0 to ${this.size}.`);
    return this.#parts(start, last, options);
  }

  /** All of it, or of a part: for what fits into memory. */
  async bytes(options: ReadOptions = {}): Promise<Bytes> {
    const parts: Bytes[] = [];
    for await (const part of this.parts(options)) parts.push(part);
    return concat(...parts);
  }

  /** The file as a Blob of its type, which a browser may keep on disk. */
  async blob(options: ReadOptions = {}): Promise<Blob> {
    const parts: Blob[] = [];
    for await (const part of this.parts(options)) parts.push(new Blob([part]));
    return new Blob(parts, { type: this.type });
  }

  async *#parts(
    start: number,
    end: number,
    { signal, onProgress }: ReadOptions,
  ): AsyncGenerator<Bytes, void, undefined> {
    const { chunkBytes } = this.#root;
    const progress = { bytes: 0, totalBytes: end - start, blocks: 0 };
    const indexes = range(Math.floor(start / chunkBytes), Math.ceil(end / chunkBytes));
    const chunks = inOrder(end > start ? indexes : [], this.#width, signal, async (index, stop) => {
      const chunk = await this.#chunk(index, stop);
      const at = index * chunkBytes;
      return chunk.subarray(Math.max(start - at, 0), Math.min(end - at, chunk.length));
    });
    for await (const part of chunks) {
      progress.bytes += part.length;
      progress.blocks++;
      onProgress?.({ ...progress });
      yield part;
    }
  }

  async #chunk(index: number, signal: AbortSignal): Promise<Bytes> {
    const chunk = await this.#open(await this.#idAt(0, index, signal), signal);
    const { size, chunkBytes } = this.#root;
    const expected = Math.min(chunkBytes, size - index * chunkBytes);
    if (chunk.length === expected) return chunk;
    throw new FormatError("A block of the file does not have the length that its index says.");
  }

  /** The id of a data block (level 0) or a node, by its place in its level. */
  async #idAt(level: number, place: number, signal: AbortSignal): Promise<BlockId> {
    const { depth, ids, chunkBytes } = this.#root;
    if (level === depth) return ids[place]!;
    const fanout = fanoutOf(chunkBytes);
    const parent = Math.floor(place / fanout);
    const id = await this.#idAt(level + 1, parent, signal);
    const count = Math.min(fanout, countAt(level, this.#root) - parent * fanout);
    const node = await this.#node(id, level + 1, count, signal);
    return node[place % fanout]!;
  }

  #node(id: BlockId, level: number, count: number, signal: AbortSignal): Promise<BlockId[]> {
    const held = this.#nodes.get(id);
    if (held) return held;
    const node = this.#open(id, signal).then((raw) => decodeNode(raw, level, count));
    this.#nodes.set(id, node);
    node.catch(() => this.#nodes.delete(id));
    const [oldest] = this.#nodes.keys();
    if (this.#nodes.size > kMaxNodes) this.#nodes.delete(oldest!);
    return node;
  }

  async #open(id: BlockId, signal: AbortSignal): Promise<Bytes> {
    const { bytes } = await this.#blocks.get(id, { signal });
    return this.#sealer.open(bytes, this.#key);
  }
}

function* range(from: number, to: number): Generator<number, void, undefined> {
  for (let i = from; i < to; i++) yield i;
}
