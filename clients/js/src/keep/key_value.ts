// Where a client keeps what must outlast the page: the heads it has seen, and what it could not
// send yet. Values are text, so that localStorage, IndexedDB or a file will do.

/** Durable once a promise resolves. Used by one page or process at a time for one chain. */
export interface KeyValueStore {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Forgets all when the page goes: no protection against a rollback between visits. */
export class MemoryStore implements KeyValueStore {
  readonly #values = new Map<string, string>();

  async get(key: string): Promise<string | undefined> {
    return this.#values.get(key);
  }

  async set(key: string, value: string): Promise<void> {
    this.#values.set(key, value);
  }

  async delete(key: string): Promise<void> {
    this.#values.delete(key);
  }
}
