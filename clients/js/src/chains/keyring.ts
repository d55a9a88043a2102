// The read secrets of a chain's epochs, as far as this reader has them: the one of its capability,
// those that were granted to it, and from each of them, by the rotate links' payloads, those
// before. A secret counts for an epoch only when it is the one that the chain names.

import { equal, isZero, toHex, type Bytes } from "../base/bytes.js";
import { NoKey, NotOpened, WrongKeys } from "../base/errors.js";
import type { ChainState } from "../formats/chain_state.js";
import type { ChainId, LinkId } from "../formats/ids.js";
import { kSecretBytes, readKeysOf, type ReadKeys } from "../formats/keys.js";
import type { Link } from "../formats/link.js";
import type { Access } from "../formats/manifest.js";
import { isGrants, kUnknownAccess } from "./control.js";
import type { Followed } from "./follow.js";

const kMaxTails = 16;

/** What one read epoch needs. */
export interface EpochKeys extends ReadKeys {
  readonly secret: Bytes;
}

interface Epoch {
  /** Unknown where only the rotate link after it is still there. */
  readonly access?: Access;
  keys?: EpochKeys;
  /** The rotate link that began it, and the epoch before. */
  begun?: { readonly link: Link; readonly before: number };
}

function keysOf(secret: Bytes): EpochKeys {
  return { ...readKeysOf(secret), secret };
}

export class Keyring {
  readonly #chain: ChainId;
  readonly #boxSeeds: readonly Uint8Array[];
  /** The capability's own; its epoch is known once it was found. */
  readonly #given: EpochKeys | undefined;
  readonly #epochs = new Map<number, Epoch>();
  /** The last links of the latest runs: a run may end between grants and their rotate link. */
  readonly #tails = new Map<LinkId, Link>();

  constructor(chain: ChainId, secret: Bytes | undefined, boxSeeds: readonly Uint8Array[]) {
    this.#chain = chain;
    this.#boxSeeds = boxSeeds;
    this.#given = secret && keysOf(secret);
  }

  /** An epoch as the manifest, a rotate link or a remembered state names it. */
  async place({ epoch, access }: Pick<ChainState, "epoch" | "access">): Promise<void> {
    if (this.#epochs.has(epoch) || access === kUnknownAccess) return;
    this.#epochs.set(epoch, { access });
    if (this.#given) await this.#offer(epoch, this.#given);
  }

  /** Learns what a run of checked links says of keys. It may come again. */
  async see(run: readonly Followed[]): Promise<void> {
    let last: Link | undefined;
    if (run[0]) await this.place(run[0].before);
    for (const { link, before } of run) {
      last ??= this.#tails.get(link.fields.prev);
      if (link.access && link.fields.epoch > before.epoch) {
        await this.#begin(link, link.access, before, last);
      }
      last = link;
    }
    if (!last) return;
    this.#tails.set(last.id, last);
    const [oldest] = this.#tails.keys();
    if (this.#tails.size > kMaxTails) this.#tails.delete(oldest!);
  }

  get(epoch: number): EpochKeys | undefined {
    return this.#epochs.get(epoch)?.keys;
  }

  /** @throws NoKey */
  need(epoch: number): EpochKeys {
    const keys = this.get(epoch);
    if (!keys) throw new NoKey(epoch);
    return keys;
  }

  /**
   * Why an epoch cannot be opened: NoKey, or WrongKeys where the capability's secret is of none.
   */
  async whyNot(epoch: number): Promise<NoKey | WrongKeys> {
    const entry = this.#epochs.get(epoch);
    const placed = [...this.#epochs.values()].some(({ keys }) => keys === this.#given);
    if (!entry?.access || !this.#given || placed || !this.#isComplete()) return new NoKey(epoch);
    return new WrongKeys(
      `The read secret is not the one that the chain names for epoch ${epoch}.`,
      {
        chain: this.#chain,
        epoch,
        expected: toHex(nameIn(entry.access)),
        actual: toHex(await nameOf(entry.access, this.#given)),
      },
    );
  }

  /** Of the newest epoch that can be opened. */
  get fetchToken(): Bytes | undefined {
    let newest = -1;
    for (const [epoch, { keys }] of this.#epochs) if (keys) newest = Math.max(newest, epoch);
    return (this.get(newest) ?? this.#given)?.fetchToken;
  }

  /** Whether every epoch is known, so that a secret of none of them is wrong. */
  #isComplete(): boolean {
    let at: number | undefined = Math.max(...this.#epochs.keys());
    while (at) at = this.#epochs.get(at)?.begun?.before;
    return at === 0;
  }

  async #offer(epoch: number, keys: EpochKeys): Promise<void> {
    const entry = this.#epochs.get(epoch);
    if (!entry?.access || !equal(nameIn(entry.access), await nameOf(entry.access, keys))) return;
    entry.keys ??= keys;
    await this.#unwind(epoch);
  }

  async #begin(link: Link, access: Access, before: ChainState, last?: Link): Promise<void> {
    const { epoch } = link.fields;
    await this.place({ epoch, access });
    const entry = this.#epochs.get(epoch)!;
    entry.begun ??= { link, before: before.epoch };
    if (!entry.keys && last) await this.#openGrants(epoch, last, before.epoch);
    await this.#unwind(epoch);
  }

  async #openGrants(epoch: number, link: Link, before: number): Promise<void> {
    const payload = opened(link, this.get(before));
    if (!payload || !isGrants(payload)) return;
    const { openGrants } = await import("./later.js");
    // Whoever may write can grant; only the secret that the admin names in the rotate link counts.
    for (const secret of openGrants(payload, this.#boxSeeds)) {
      await this.#offer(epoch, keysOf(secret));
    }
  }

  /** A rotate link's payload holds the secret before it, by the admin's word. */
  async #unwind(epoch: number): Promise<void> {
    const entry = this.#epochs.get(epoch);
    if (!entry?.begun) return;
    const { link, before } = entry.begun;
    const payload = this.get(before) ? undefined : opened(link, entry.keys);
    if (payload?.length !== kSecretBytes) return;
    const keys = keysOf(payload);
    if (this.#epochs.get(before)?.access) await this.#offer(before, keys);
    else this.#epochs.set(before, { keys });
  }
}

/** What a chain names an epoch's secret by: its fetch token's hash, or without one its box key. */
function nameIn({ fetchTokenHash, box }: Access): Bytes {
  return isZero(fetchTokenHash) ? box : fetchTokenHash;
}

/** What would stand there for these keys. */
async function nameOf(access: Access, keys: EpochKeys): Promise<Bytes> {
  if (!isZero(access.fetchTokenHash)) return keys.fetchTokenHash;
  const { boxKeyOf } = await import("./later.js");
  return boxKeyOf(keys.boxSeed);
}

function opened(link: Link, keys: EpochKeys | undefined): Bytes | undefined {
  if (!keys) return undefined;
  try {
    return link.open(keys.linkKey);
  } catch (error) {
    if (error instanceof NotOpened) return undefined;
    throw error;
  }
}
