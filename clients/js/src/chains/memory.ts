// What a client remembers of a chain from visit to visit: the state after the newest link that it
// has checked, and that link, which is the evidence when the node comes with another one.

import { concat, fromBase64Url, toBase64Url } from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import { advance, stateOf, type ChainState } from "../formats/chain_state.js";
import { chainIdOf, type ChainId } from "../formats/ids.js";
import { Link } from "../formats/link.js";
import { accessBytes, parseAccess, parseManifest } from "../formats/manifest.js";
import type { KeyValueStore } from "../keep/key_value.js";

export interface Remembered {
  readonly manifest: Uint8Array;
  readonly state: ChainState;
  /** The newest link; none before the first. */
  readonly link: Uint8Array | undefined;
}

const kVersion = 1;

export class ChainMemory {
  readonly #store: KeyValueStore;
  readonly #key: string;
  readonly #chain: ChainId;

  constructor(store: KeyValueStore, chain: ChainId) {
    this.#store = store;
    this.#chain = chain;
    this.#key = `cairn/head/${chain}`;
  }

  /**
   * @throws FormatError where something is kept that this cannot read: it must not be passed over
   */
  async load(): Promise<Remembered | undefined> {
    const text = await this.#store.get(this.#key);
    if (text === undefined) return undefined;
    try {
      return decode(text, this.#chain);
    } catch (error) {
      throw new FormatError("What is remembered of the chain's head cannot be read.", {
        cause: error,
      });
    }
  }

  /** Keeps it, unless something newer is kept already. */
  async save(remembered: Remembered): Promise<void> {
    const kept = await this.#store.get(this.#key);
    if (kept !== undefined && JSON.parse(kept).seq >= remembered.state.seq) return;
    await this.#store.set(this.#key, encode(remembered));
  }
}

function encode({ manifest, state, link }: Remembered): string {
  const { seq, head, epoch, firstKept, rotatedAt, removed } = state;
  return JSON.stringify({
    version: kVersion,
    manifest: toBase64Url(manifest),
    access: toBase64Url(concat(...accessBytes(state.access))),
    link: link && toBase64Url(link),
    ...{ seq, head, epoch, firstKept, rotatedAt, removed },
  });
}

function decode(text: string, chain: ChainId): Remembered {
  const value = JSON.parse(text);
  const manifest = fromBase64Url(value.manifest)!;
  const access = parseAccess(fromBase64Url(value.access)!);
  const link = value.link === undefined ? undefined : fromBase64Url(value.link)!;
  const { seq, head, epoch, firstKept, rotatedAt, removed } = value;
  const genesis = stateOf(parseManifest(manifest), chain);
  const numbers = [seq, epoch, firstKept, rotatedAt];
  if (value.version !== kVersion || chainIdOf(manifest) !== chain || !access?.writers.length) {
    throw new Error("kind");
  }
  if (!numbers.every(Number.isSafeInteger) || typeof removed !== "boolean") {
    throw new Error("shape");
  }
  const state = { ...genesis, access, seq, head, epoch, firstKept, rotatedAt, removed };
  const newest = link ? advance(genesis, Link.parse(link)) : genesis;
  if (newest.seq !== seq || newest.head !== head) throw new Error("head");
  return { manifest, state, link };
}
