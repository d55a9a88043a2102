// The list of stored files with their read secrets, kept in this browser's local storage and
// nowhere else. Where the browser refuses (private mode, no room), it lives as long as the page.

import { fromBase64Url, toBase64Url } from "./bytes.js";
import { kSecretBytes } from "./seal.js";

const kKey = "cairn.welcome.files.1";

/**
 * @typedef {object} ShelfEntry
 * @property {string} id of the index block @property {Uint8Array} read the read secret
 * @property {string} name @property {string} type @property {number} size
 * @property {number} blocks without the index @property {number} storedBytes
 * @property {number} time when it came onto the list, milliseconds since 1970
 * @property {boolean} shared came by a share link
 */

/** @param {any} value @returns {ShelfEntry | null} null when it is not an entry */
function entryOf(value) {
  const read = fromBase64Url(typeof value?.read === "string" ? value.read : "");
  const valid =
    read?.length === kSecretBytes &&
    typeof value.id === "string" &&
    /^[0-9a-f]{64}$/.test(value.id) &&
    typeof value.name === "string" &&
    typeof value.type === "string" &&
    [value.size, value.blocks, value.storedBytes, value.time].every(Number.isFinite);
  return valid ? { ...value, read, shared: value.shared === true } : null;
}

/** @param {string} text @returns {ShelfEntry[]} what can be read of it */
function entriesOf(text) {
  try {
    const values = JSON.parse(text);
    return Array.isArray(values) ? values.map(entryOf).filter((entry) => entry !== null) : [];
  } catch {
    return [];
  }
}

export class Shelf {
  /** @param {Storage | null} storage */
  constructor(storage) {
    this.storage_ = storage;
    /** Whether entries outlive the page. */
    this.lasting = storage !== null;
    /** @type {ShelfEntry[]} */
    this.entries_ = [];
    this.reload();
  }

  /** Newest first. @returns {readonly ShelfEntry[]} */
  get entries() {
    return this.entries_;
  }

  /** Reads again what another tab of this page may have written. */
  reload() {
    if (!this.lasting) return;
    try {
      this.entries_ = entriesOf(this.storage_?.getItem(kKey) ?? "[]");
    } catch {
      this.lasting = false;
    }
  }

  /** An entry with the same id is replaced. @param {ShelfEntry} entry */
  add(entry) {
    this.reload();
    this.entries_ = [entry, ...this.entries_.filter(({ id }) => id !== entry.id)];
    this.write_();
  }

  /** @param {string} id */
  remove(id) {
    this.reload();
    this.entries_ = this.entries_.filter((entry) => entry.id !== id);
    this.write_();
  }

  write_() {
    if (!this.lasting) return;
    const values = this.entries_.map((entry) => ({ ...entry, read: toBase64Url(entry.read) }));
    try {
      this.storage_?.setItem(kKey, JSON.stringify(values));
    } catch {
      this.lasting = false;
    }
  }
}

/** @returns {Storage | null} null where the browser gives none */
export function browserStorage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
