// As much of IndexedDB, in memory, as the SDK asks for. Like the real one it copies values, gives
// answers later, and ends a transaction once nothing is asked of it any more.

const kDatabases = new Map();

class Request {
  constructor(run, transaction) {
    transaction.pending++;
    this.fire = () => {
      transaction.pending++;
      setImmediate(() => {
        this.result = run();
        this.onsuccess?.();
        setImmediate(() => transaction.settle());
      });
    };
    this.fire();
    transaction.pending--;
  }
}

class Transaction {
  pending = 0;

  constructor(database, mode) {
    this.database = database;
    this.mode = mode;
    setImmediate(() => this.settle(0));
  }

  settle(ended = 1) {
    this.pending -= ended;
    if (this.pending > 0 || this.over) return;
    this.over = true;
    this.oncomplete?.();
  }

  objectStore(name) {
    return new ObjectStore(this.database.stores.get(name), this);
  }
}

class ObjectStore {
  constructor(store, transaction) {
    this.store = store;
    this.transaction = transaction;
  }

  ask(run, writes = false) {
    if (this.transaction.over) throw new Error("TransactionInactiveError");
    if (writes && this.transaction.mode !== "readwrite") throw new Error("ReadOnlyError");
    return new Request(run, this.transaction);
  }

  get(key) {
    return this.ask(() => structuredClone(this.store.records.get(key)));
  }

  put(value, key) {
    const copy = structuredClone(value);
    return this.ask(() => void this.store.records.set(key ?? copy[this.store.keyPath], copy), true);
  }

  delete(key) {
    return this.ask(() => void this.store.records.delete(key), true);
  }

  index(name) {
    const order = this.store.indexes.get(name);
    return { openCursor: () => this.cursor((a, b) => a[order] - b[order]) };
  }

  openCursor() {
    return this.cursor(() => 0);
  }

  cursor(compare) {
    const values = [...this.store.records.values()].sort(compare);
    let at = 0;
    const request = this.ask(() => {
      if (at >= values.length) return null;
      return { value: structuredClone(values[at++]), continue: () => request.fire() };
    });
    return request;
  }
}

export const indexedDB = {
  open(name) {
    const request = {};
    setImmediate(() => {
      const isNew = !kDatabases.has(name);
      if (isNew) kDatabases.set(name, { stores: new Map() });
      const database = kDatabases.get(name);
      request.result = {
        createObjectStore(store, { keyPath } = {}) {
          const made = { records: new Map(), indexes: new Map(), keyPath };
          database.stores.set(store, made);
          return { createIndex: (index, field) => made.indexes.set(index, field) };
        },
        transaction: (_, mode) => new Transaction(database, mode),
      };
      if (isNew) request.onupgradeneeded?.();
      request.onsuccess?.();
    });
    return request;
  },
  /** The records of a store, for tests to look at and to damage. */
  recordsOf: (name, store) => kDatabases.get(name).stores.get(store).records,
};
