// One chain, as a website uses it. Joins the checked log, the keys and the sender.

import { LinkRefused } from "../base/errors.js";
import { formatCapability } from "../formats/capability.js";
import type { ChainState } from "../formats/chain_state.js";
import type { BlockId, ChainId, LinkId } from "../formats/ids.js";
import { kMaxPayloadBytes } from "../formats/link.js";
import type { CallOptions } from "../node/blocks.js";
import type { Reading } from "../node/chain_routes.js";
import type { Transport } from "../node/transport.js";
import type { Draft } from "./author.js";
import { isGrants } from "./control.js";
import type { Followed } from "./follow.js";
import type { EpochKeys, Keyring } from "./keyring.js";
import type { ChainLog } from "./log.js";
import type { Outbox } from "./outbox.js";
import type { RotateOptions } from "./rotation.js";
import type { Appended, Sender } from "./sender.js";

/** What one link says. */
export interface Entry {
  readonly seq: number;
  readonly link: LinkId;
  readonly type: "data" | "checkpoint";
  /** Place among the chain's writers then; 65,535: its admin. */
  readonly writer: number;
  readonly payload: Uint8Array;
  /** The blocks that it keeps alive. */
  readonly refs: readonly BlockId[];
}

export interface EntriesOptions extends CallOptions {
  /** The first seq wanted; default the first that the node still has. */
  readonly from?: number;
}

export interface AppendOptions extends CallOptions {
  /** Blocks that the entry keeps alive; at most 1,024, all held by the node. */
  readonly refs?: readonly BlockId[];
}

export interface ChainParts {
  readonly log: ChainLog;
  readonly transport: Transport;
  readonly keyring: Keyring;
  readonly sender: Sender;
  readonly outbox: Outbox;
  /** The box seed of the write key, where it is held. */
  readonly ownerBox: Uint8Array | undefined;
}

/**
 * A chain that was opened with a capability. Everything that comes from the node is checked before
 * it is given; whatever the node does, the newest link that was seen stays the least that it must
 * show. Calls may run at the same time; appends are sent in the order in which they were made.
 */
export class Chain {
  readonly #parts: ChainParts;
  #gathered = false;

  constructor(parts: ChainParts) {
    this.#parts = parts;
  }

  get id(): ChainId {
    return this.head.chain;
  }

  /** As far as it was checked; {@link sync} brings it up to date. */
  get head(): ChainState {
    return this.#parts.log.head;
  }

  /**
   * Checks what is new at the node.
   * @throws Rollback, Fork, BrokenChain with the evidence; Refused, Unreachable
   */
  sync({ signal }: CallOptions = {}): Promise<ChainState> {
    return this.#parts.log.sync(signal);
  }

  /**
   * What was appended, oldest first, up to the node's present head.
   * @throws as {@link sync}; NoKey for an epoch that was not granted to this reader; WrongKeys;
   *   NotOpened for a payload that its writer did not seal to the chain
   */
  async *entries(options: EntriesOptions = {}): AsyncGenerator<Entry, void, undefined> {
    const { from = 1, signal } = options;
    for await (const followed of this.#parts.log.walk(from, signal)) {
      const entry = await this.#entry(followed, signal);
      if (entry) yield entry;
    }
  }

  /**
   * As {@link entries}, and then what comes, as it comes, until the chain is deleted or the signal
   * is aborted. Waits where the node cannot be reached.
   * @param options.from default: what comes after {@link head}
   */
  async *subscribe(options: EntriesOptions = {}): AsyncGenerator<Entry, void, undefined> {
    const { from = this.head.seq + 1, signal } = options;
    const { log, transport, keyring } = this.#parts;
    const { live } = await import("./later.js");
    const reading = (): Reading => ({ fetchToken: keyring.fetchToken, signal });
    for await (const followed of live(log, transport, from, reading)) {
      const entry = await this.#entry(followed, signal);
      if (entry) yield entry;
    }
  }

  /**
   * Appends an entry. Where others append at the same time, it comes after theirs.
   *
   * Without an outbox, Unreachable leaves it open whether the entry arrived. With one, the entry is
   * kept and sent later, and arrives once. (On a chain that was rotated, a first append in a visit
   * needs the node: the new read secret is not kept on the client.)
   * @param payload at most 65,520 bytes; sealed before it leaves
   * @throws Refused: `refs-missing`, `denied`, `full`, `too-large`; LinkRefused `denied` where this
   *   capability may not write; NoKey; as {@link sync}
   */
  append(payload: Uint8Array, { refs = [], signal }: AppendOptions = {}): Promise<Appended> {
    return this.#append({ type: "data", payload: mine(payload), refs }, signal);
  }

  /**
   * Appends a whole state, from which a reader may start.
   * @param options.dropsEarlier the node forgets the links before it and lets go of their blocks.
   *   Readers who have not seen a rotation by then must be given the chain anew.
   */
  checkpoint(
    payload: Uint8Array,
    options: AppendOptions & { readonly dropsEarlier?: boolean } = {},
  ): Promise<Appended> {
    const { refs = [], dropsEarlier = false, signal } = options;
    return this.#append({ type: "checkpoint", payload: mine(payload), refs, dropsEarlier }, signal);
  }

  /** Entries that wait to be sent, oldest first. */
  async queued(): Promise<readonly Uint8Array[]> {
    const links = await this.#parts.outbox.links();
    return links.map((link) => link.open(this.#parts.keyring.need(link.fields.epoch).linkKey));
  }

  /** Sends what waits. @throws what the first of them was refused with; it stays first */
  async flush({ signal }: CallOptions = {}): Promise<void> {
    await this.#ready(signal);
    await this.#parts.sender.flush(signal);
  }

  /** Gives up the first entry that waits: one that the node will not take. */
  discard(): Promise<void> {
    return this.#parts.sender.discard();
  }

  /**
   * A capability to read the chain from here on, and what came before.
   * @throws as {@link sync}; NoKey, WrongKeys
   */
  async share({ signal }: CallOptions = {}): Promise<string> {
    await this.sync({ signal });
    const { secret } = await this.#keys(this.head.epoch, signal);
    return formatCapability({ kind: "read", chain: this.id, secret });
  }

  /** A capability to check the chain, which opens nothing. */
  shareVerify(): string {
    return formatCapability({ kind: "verify", chain: this.id });
  }

  /**
   * Begins a new read epoch under a fresh secret, to shut out whoever it is not sealed to, or
   * changes who may write. What was written before stays readable to those who could read it.
   * @throws LinkRefused `denied` without the write key of the chain's admin
   */
  async rotate(options: RotateOptions = {}): Promise<void> {
    const { signal } = options;
    const { keyring, ownerBox, sender } = this.#parts;
    if (!ownerBox) throw new LinkRefused("denied", "Only the chain's write key rotates it.");
    await this.#ready(signal);
    const { rotation } = await import("./later.js");
    const drafts = rotation(keyring, ownerBox, options);
    await sender.send(drafts, signal);
  }

  /** Ends the chain: nothing follows, and the node lets go of its blocks. Only its admin can. */
  async remove({ signal }: CallOptions = {}): Promise<void> {
    await this.#ready(signal);
    await this.#parts.sender.send(() => [{ type: "delete", payload: new Uint8Array(0) }], signal);
  }

  async #append(draft: Draft, signal: AbortSignal | undefined): Promise<Appended> {
    await this.#ready(signal);
    return this.#parts.sender.append(draft, signal);
  }

  /** The keys of the head's epoch, so that a link can be written. */
  async #ready(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#parts.keyring.get(this.head.epoch)) await this.sync({ signal });
    await this.#keys(this.head.epoch, signal);
  }

  async #entry(
    { link, before }: Followed,
    signal: AbortSignal | undefined,
  ): Promise<Entry | undefined> {
    const { type, seq, writer } = link.fields;
    if (type !== "data" && type !== "checkpoint") return undefined;
    const { linkKey } = await this.#keys(before.epoch, signal);
    const payload = link.open(linkKey);
    if (isGrants(payload)) return undefined;
    return { seq, link: link.id, type, writer, payload, refs: link.refs };
  }

  /** Walks the whole chain once where an epoch's keys may be behind links that were not seen. */
  async #keys(epoch: number, signal: AbortSignal | undefined): Promise<EpochKeys> {
    const { keyring, log } = this.#parts;
    if (!keyring.get(epoch) && !this.#gathered) {
      for await (const _ of log.walk(1, signal));
      this.#gathered = true;
    }
    const keys = keyring.get(epoch);
    if (!keys) throw await keyring.whyNot(epoch);
    return keys;
  }
}

function mine(payload: Uint8Array): Uint8Array {
  if (payload.length > kMaxPayloadBytes) {
    throw new RangeError("A payload has at most 65,520 bytes.");
  }
  if (isGrants(payload)) throw new RangeError("The payload begins as a grant does.");
  return payload.slice();
}
