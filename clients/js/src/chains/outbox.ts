// The links that are on their way, in order, and where they are kept meanwhile. They are kept as
// they are sent: sealed, and the very bytes, so that what was sent before a crash is known again.

import { fromBase64Url, toBase64Url, type Bytes } from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import type { ChainId } from "../formats/ids.js";
import { Link } from "../formats/link.js";
import type { KeyValueStore } from "../keep/key_value.js";

export class Outbox {
  readonly #store: KeyValueStore | undefined;
  readonly #key: string;
  #links: Link[] | undefined;

  /** Without a store the links are lost when the page goes. */
  constructor(chain: ChainId, store: KeyValueStore | undefined) {
    this.#store = store;
    this.#key = `cairn/outbox/${chain}`;
  }

  get isKept(): boolean {
    return this.#store !== undefined;
  }

  /** @throws FormatError where something is kept that this cannot read */
  async links(): Promise<readonly Link[]> {
    if (this.#links) return this.#links;
    const text = await this.#store?.get(this.#key);
    try {
      const raws = text === undefined ? [] : (JSON.parse(text) as string[]);
      return (this.#links = raws.map((raw) => Link.parse(fromBase64Url(raw)!)));
    } catch (error) {
      throw new FormatError("The outbox of the chain cannot be read.", { cause: error });
    }
  }

  async replace(links: readonly Link[]): Promise<void> {
    this.#links = [...links];
    if (links.length === 0) await this.#store?.delete(this.#key);
    else await this.#store?.set(this.#key, encode(links.map(({ raw }) => raw)));
  }

  /**
   * Takes off what has arrived: a chain holds a link at most once.
   * @returns the last that was taken off
   */
  async arrived(ids: ReadonlySet<string>): Promise<Link | undefined> {
    const links = await this.links();
    const left = links.filter(({ id }) => !ids.has(id));
    if (left.length < links.length) await this.replace(left);
    return links.filter(({ id }) => ids.has(id)).at(-1);
  }
}

function encode(raws: readonly Bytes[]): string {
  return JSON.stringify(raws.map(toBase64Url));
}
