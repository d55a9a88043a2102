// What outlasts the page in a browser: blocks, heads and the outbox in IndexedDB. A part of its
// own: import it from "@cairn/client/indexeddb". Private modes and full disks make its calls fail;
// the block cache then is as good as empty, while heads and outbox pass the failure on.

import type { Bytes } from "./base/bytes.js";
import type { BlockId } from "./formats/ids.js";
import type { BlockShelf } from "./keep/block_cache.js";
import type { KeyValueStore } from "./keep/key_value.js";

const kVersion = 1;
const kBlocks = "blocks";
const kUses = "uses";
const kValues = "values";
const kByUse = "by-use";
const kDefaultBudgetBytes = 256 * 1024 * 1024;

/** Beside each block, so that no block is read or written again to keep count. */
interface Use {
  readonly id: BlockId;
  /** Bytes. */
  readonly size: number;
  /** ms since 1970, when it was last put or read. */
  readonly used: number;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, kVersion);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(kBlocks);
    request.result.createObjectStore(kUses, { keyPath: "id" }).createIndex(kByUse, "used");
    request.result.createObjectStore(kValues);
  };
  return done(request);
}

/** One database, opened at its first use. */
class Database {
  readonly #name: string;
  #opened: Promise<IDBDatabase> | undefined;

  /** @param name lets several sites of one origin keep apart */
  constructor(name: string) {
    this.#name = name;
  }

  /** Resolves with the result of `work` when it is committed. */
  async within<T>(
    stores: readonly string[],
    mode: IDBTransactionMode,
    work: (...stores: IDBObjectStore[]) => Promise<T>,
  ): Promise<T> {
    this.#opened ??= openDatabase(this.#name);
    const transaction = (await this.#opened).transaction([...stores], mode);
    const committed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    const result = work(...stores.map((store) => transaction.objectStore(store)));
    await Promise.all([result, committed]);
    return result;
  }
}

/** Heads and outbox: `new Cairn({ heads: store, outbox: store })`. */
export class IndexedDbStore implements KeyValueStore {
  readonly #database: Database;

  constructor(name = "cairn") {
    this.#database = new Database(name);
  }

  get(key: string): Promise<string | undefined> {
    return this.#database.within([kValues], "readonly", (values) => done(values!.get(key)));
  }

  async set(key: string, value: string): Promise<void> {
    await this.#database.within([kValues], "readwrite", (values) => done(values!.put(value, key)));
  }

  async delete(key: string): Promise<void> {
    await this.#database.within([kValues], "readwrite", (values) => done(values!.delete(key)));
  }
}

/**
 * Blocks up to a budget, `new Cairn({ cache: shelf })`; what was not used for longest goes first.
 */
export class IndexedDbShelf implements BlockShelf {
  readonly #database: Database;
  readonly #budgetBytes: number;
  /** What is kept, as far as this page knows: others may have added to it since it was counted. */
  #total: number | undefined;

  /** @param options.budgetBytes of sealed blocks; default 256 MiB */
  constructor(options: { readonly name?: string; readonly budgetBytes?: number } = {}) {
    this.#database = new Database(options.name ?? "cairn");
    this.#budgetBytes = options.budgetBytes ?? kDefaultBudgetBytes;
  }

  get(id: BlockId): Promise<Bytes | undefined> {
    return this.#within(async (blocks, uses) => {
      const bytes: Bytes | undefined = await done(blocks.get(id));
      if (bytes) await done(uses.put(useOf(id, bytes)));
      return bytes;
    });
  }

  async put(id: BlockId, bytes: Uint8Array): Promise<void> {
    if (bytes.length > this.#budgetBytes) return;
    await this.#within(async (blocks, uses) => {
      this.#total ??= await totalOf(uses);
      const before: Use | undefined = await done(uses.get(id));
      await done(blocks.put(bytes.slice(), id));
      await done(uses.put(useOf(id, bytes)));
      this.#total += bytes.length - (before?.size ?? 0);
      if (this.#total > this.#budgetBytes) await this.#makeRoom(blocks, uses);
    });
  }

  async delete(id: BlockId): Promise<void> {
    await this.#within(async (blocks, uses) => {
      await Promise.all([done(blocks.delete(id)), done(uses.delete(id))]);
      // Counted anew by the next put.
      this.#total = undefined;
    });
  }

  #within<T>(work: (blocks: IDBObjectStore, uses: IDBObjectStore) => Promise<T>): Promise<T> {
    return this.#database.within([kBlocks, kUses], "readwrite", (blocks, uses) =>
      work(blocks!, uses!),
    );
  }

  /** A tenth more than needed, so that not each put has to. */
  async #makeRoom(blocks: IDBObjectStore, uses: IDBObjectStore): Promise<void> {
    let total = await totalOf(uses);
    for await (const { id, size } of records(uses.index(kByUse))) {
      if (total <= this.#budgetBytes * 0.9) break;
      await Promise.all([done(blocks.delete(id)), done(uses.delete(id))]);
      total -= size;
    }
    this.#total = total;
  }
}

function useOf(id: BlockId, { length }: Uint8Array): Use {
  return { id, size: length, used: Date.now() };
}

async function totalOf(uses: IDBObjectStore): Promise<number> {
  let total = 0;
  for await (const { size } of records(uses)) total += size;
  return total;
}

async function* records(source: IDBObjectStore | IDBIndex): AsyncGenerator<Use, void, undefined> {
  const request = source.openCursor();
  for (let at = await done(request); at; at = await done(request)) {
    yield at.value;
    at.continue();
  }
}
