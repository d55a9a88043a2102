// Files of any size, as sealed blocks.

import type { Bytes } from "../base/bytes.js";
import { Refused } from "../base/errors.js";
import { randomBytes } from "../base/random.js";
import { kSecretBytes } from "../formats/keys.js";
import { maxPlaintextBytes } from "../formats/seal.js";
import type { Blocks, CallOptions } from "../node/blocks.js";
import { StoredFile, type FileRef, type Progress } from "./file_reader.js";
import { FileWriter, type WrittenFile } from "./file_writer.js";
import { kOwnThread, type Sealer } from "./sealer.js";
import { isRewindable, sizeOf, type FileSource } from "./source.js";

/** Sizes of sealed blocks to try, largest first: a node may take less than the default. */
const kBlockBytes = [1024 * 1024, 256 * 1024, 64 * 1024, 16 * 1024] as const;
const kWidth = 4;

export interface FilesOptions {
  /** Where blocks are sealed and opened; default: in the caller's thread (10 ms a MiB). */
  readonly sealer?: Sealer | undefined;
  /** Chunks under way at once, each of up to 1 MiB, held twice while it is stored; default 4. */
  readonly inFlight?: number | undefined;
}

export interface PutOptions extends CallOptions {
  /** Default: a File's own. At most 1,024 bytes of UTF-8. */
  readonly name?: string;
  /** Media type; default: a Blob's own. At most 256 bytes of UTF-8. */
  readonly type?: string;
  /**
   * 32 bytes; default random. Give the same again to go on after a call that was cut off: the same
   * file under the same secret becomes the same blocks, and only those that the node lacks are
   * sent.
   */
  readonly secret?: Uint8Array;
  readonly onProgress?: (progress: Progress) => void;
}

/** What was stored. Who has `id` and `secret` can read it; nobody else can. */
export interface PutFile extends FileRef, WrittenFile {}

export class Files {
  readonly #blocks: Blocks;
  readonly #sealer: Sealer;
  readonly #width: number;
  /** Index of the largest size that this node was seen to take. */
  #fitting = 0;

  constructor(blocks: Blocks, options: FilesOptions = {}) {
    this.#blocks = blocks;
    this.#sealer = options.sealer ?? kOwnThread;
    this.#width = options.inFlight ?? kWidth;
  }

  /**
   * Stores a file. Where the node takes only smaller blocks it begins again with smaller ones, but
   * for a stream, which cannot be read twice.
   * @throws Refused (`too-large` for such a stream, `denied`, `full`), Unreachable, the signal's
   *   reason, or what reading the source throws
   */
  async put(source: FileSource, options: PutOptions = {}): Promise<PutFile> {
    const secret = (options.secret?.slice() ?? randomBytes(kSecretBytes)) as Bytes;
    for (; ; this.#fitting++) {
      try {
        return { ...(await this.#write(source, options, secret)), secret };
      } catch (error) {
        const smaller =
          error instanceof Refused && error.code === "too-large" && isRewindable(source);
        if (!smaller || this.#fitting + 1 >= kBlockBytes.length) throw error;
      }
    }
  }

  /**
   * Fetches the index of a file, and gives what reads the rest.
   * @throws as {@link StoredFile.open}
   */
  open(ref: FileRef, { signal }: CallOptions = {}): Promise<StoredFile> {
    return StoredFile.open(this.#blocks, this.#sealer, ref, this.#width, signal);
  }

  #write(source: FileSource, options: PutOptions, secret: Bytes): Promise<WrittenFile> {
    const { name = nameOf(source), type = typeOf(source), signal, onProgress } = options;
    const progress = { bytes: 0, totalBytes: sizeOf(source), blocks: 0 };
    const writer = new FileWriter(this.#blocks, this.#sealer, {
      source,
      name,
      type,
      secret,
      chunkBytes: maxPlaintextBytes(kBlockBytes[this.#fitting]!),
      width: this.#width,
      resumes: options.secret !== undefined,
      signal,
      onBlock: (bytes, level) => {
        if (level === 0) progress.bytes += bytes;
        progress.blocks++;
        onProgress?.({ ...progress });
      },
    });
    return writer.write();
  }
}

function nameOf(source: FileSource): string {
  // A File, which Node 18 does not have as a global.
  return "name" in source && typeof source.name === "string" ? source.name : "";
}

function typeOf(source: FileSource): string {
  return source instanceof Blob ? source.type : "";
}
