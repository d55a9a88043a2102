// ChainLog: one chain as it was checked. It holds every link that the node gives against the rules
// and against what was seen before; what passes becomes the trusted head, which never goes back.
// Knows no secrets but the fetch token.

import type { Bytes } from "../base/bytes.js";
import {
  Fork,
  type LinkRefused,
  Refused,
  Rollback,
  type CairnError,
  type Position,
} from "../base/errors.js";
import { stateOf, type ChainState } from "../formats/chain_state.js";
import type { ChainId } from "../formats/ids.js";
import { Link } from "../formats/link.js";
import { parseManifest } from "../formats/manifest.js";
import type { Verifier } from "../formats/verifier.js";
import { kMaxLinksPerCall, type ChainRoutes, type ClaimedHead } from "../node/chain_routes.js";
import { broken, follow, parsed, type Followed, type Vouched } from "./follow.js";
import type { ChainMemory, Remembered } from "./memory.js";
import type { Page } from "./start.js";

export interface LogParts {
  readonly chain: ChainId;
  readonly routes: ChainRoutes;
  readonly verifier: Verifier;
  readonly memory: ChainMemory;
  /** Of a gated chain, the newest that is known. */
  readonly fetchToken: () => Bytes | undefined;
}

/**
 * Told of every run of links that was checked, before the head after it is remembered. A link may
 * come again.
 */
export type LinkListener = (links: readonly Followed[]) => Promise<void> | void;

export class ChainLog {
  /** Before the first link. */
  readonly genesis: ChainState;
  readonly #parts: LogParts;
  readonly #manifest: Uint8Array;
  #trusted: ChainState;
  #newest: Uint8Array | undefined;
  /** States that were checked, by seq: where a walk may begin, and what it must meet. */
  readonly #anchors = new Map<number, ChainState>();
  #vouched: Vouched = new Map();
  readonly #listeners: LinkListener[] = [];

  private constructor(parts: LogParts, manifest: Uint8Array, remembered?: Remembered) {
    this.genesis = stateOf(parseManifest(manifest), parts.chain);
    this.#parts = parts;
    this.#manifest = manifest;
    this.#trusted = remembered?.state ?? this.genesis;
    this.#newest = remembered?.link;
    this.#anchors.set(this.#trusted.seq, this.#trusted);
  }

  /** From memory, or with the manifest from the node. @throws WrongBytes, FormatError, Refused */
  static async open(parts: LogParts, signal?: AbortSignal): Promise<ChainLog> {
    const remembered = await parts.memory.load();
    if (remembered) return new ChainLog(parts, remembered.manifest, remembered);
    const options = { fetchToken: parts.fetchToken(), signal };
    const manifest = await parts.routes.manifest(parts.chain, options);
    const log = new ChainLog(parts, manifest);
    await parts.memory.save({ manifest, state: log.genesis, link: undefined });
    return log;
  }

  /** After the newest link that was checked. */
  get head(): ChainState {
    return this.#trusted;
  }

  onLinks(listener: LinkListener): void {
    this.#listeners.push(listener);
  }

  /** Checks what is new at the node. @returns the head then */
  async sync(signal?: AbortSignal): Promise<ChainState> {
    for await (const _ of this.walk(this.#trusted.seq + 1, signal));
    return this.#trusted;
  }

  /**
   * Links from a seq on (or from the checkpoint that dropped it) up to the node's present head,
   * each checked before it is given.
   * @throws Rollback, Fork, BrokenChain with the evidence; Refused, Unreachable
   */
  async *walk(from: number, signal?: AbortSignal): AsyncGenerator<Followed, void, undefined> {
    const page = this.#page(signal);
    const claimed = await this.#claim(signal);
    let state = await this.#startBefore(from, claimed, page);
    let next = state.seq < claimed.seq ? quiet(page(state.seq + 1, kMaxLinksPerCall)) : undefined;
    while (next) {
      const raws = await next;
      if (raws.length === 0) throw broken(claimed.chain, state.seq + 1, "Links are missing.");
      const after = state.seq + raws.length;
      // The next page comes while this one is checked.
      next = after < claimed.seq ? quiet(page(after + 1, kMaxLinksPerCall)) : undefined;
      const outcome = await follow(state, raws, this.#parts.verifier, this.#vouched);
      if (outcome.refusal) throw await this.#meaningOf(outcome.refusal, outcome.state, page);
      this.#mustAgree(outcome.links, claimed);
      await this.#trust(outcome.links, outcome.state);
      state = outcome.state;
      for (const followed of outcome.links) if (followed.link.fields.seq >= from) yield followed;
    }
  }

  /**
   * Takes links that were pushed, or that stand on the trusted head.
   * @returns those that are new
   * @throws LinkRefused for one that does not follow: what that means is for the caller to say
   */
  async take(raws: readonly Uint8Array[]): Promise<readonly Followed[]> {
    const before = this.#trusted;
    const news = raws.filter((raw) => Link.parse(raw).fields.seq > before.seq);
    const { links, state, refusal } = await follow(before, news, this.#parts.verifier);
    if (refusal) throw refusal.error;
    await this.#trust(links, state);
    return links;
  }

  #page(signal: AbortSignal | undefined): Page {
    const { routes, chain, fetchToken } = this.#parts;
    return (from, limit) => routes.links(chain, from, limit, { fetchToken: fetchToken(), signal });
  }

  /** The node's head, held against what was seen. */
  async #claim(signal: AbortSignal | undefined): Promise<ClaimedHead> {
    const { routes, chain, fetchToken } = this.#parts;
    const seen = this.#trusted;
    let claimed: ClaimedHead;
    try {
      claimed = await routes.head(chain, { fetchToken: fetchToken(), signal });
    } catch (error) {
      const gone = error instanceof Refused && error.code === "not-held" && seen.seq > 0;
      throw gone ? this.#rollback(seen, { seq: 0, link: chain }) : error;
    }
    if (claimed.seq < seen.seq) throw this.#rollback(seen, claimed);
    if (claimed.seq === seen.seq && claimed.link !== seen.head) {
      throw await this.#accuse(seen, this.#page(signal));
    }
    return claimed;
  }

  #rollback(seen: ChainState, { seq, link }: Position): Rollback {
    const remembered = { seq: seen.seq, link: seen.head, bytes: this.#newest };
    return new Rollback(`The node shows the chain at seq ${seq}; it was at ${seen.seq}.`, {
      chain: seen.chain,
      remembered,
      claimed: { seq, link },
    });
  }

  async #startBefore(from: number, claimed: ClaimedHead, page: Page): Promise<ChainState> {
    let best: ChainState | undefined;
    for (const state of this.#anchors.values()) {
      const usable = state.seq < from && state.seq + 1 >= claimed.trimmedBefore;
      if (usable && (!best || state.seq > best.seq)) best = state;
    }
    if (best) return best;
    if (claimed.trimmedBefore <= 1) return this.genesis;
    if (claimed.rotatedAt < this.#trusted.rotatedAt) {
      throw this.#rollback(this.#trusted, claimed);
    }
    const { startOf } = await import("./later.js");
    const { state, vouched } = await startOf(this.genesis, claimed, page, this.#parts.verifier);
    if (vouched) this.#vouched = vouched;
    return state;
  }

  /** Links that follow must also be those that were seen, and the one that the head names. */
  #mustAgree(links: readonly Followed[], claimed: ClaimedHead): void {
    for (const { link } of links) {
      const { seq } = link.fields;
      const known = this.#anchors.get(seq);
      if (known && known.head !== link.id) throw this.#fork(known, link);
      if (seq === claimed.seq && link.id !== claimed.link) {
        throw broken(claimed.chain, seq, "The head names another link there.", link.raw);
      }
    }
  }

  async #trust(links: readonly Followed[], state: ChainState): Promise<void> {
    for (const listener of this.#listeners) await listener(links);
    // Until the rotate link that vouches for them, who may write is not known.
    if (this.#vouched.has(state.seq + 1)) return;
    const last = this.#trusted.seq;
    // One anchor a page is enough: the links in between hang together.
    if (state.seq > last && pageOf(state.seq) === pageOf(last)) this.#anchors.delete(last);
    this.#anchors.set(state.seq, state);
    if (state.seq <= last) return;
    this.#trusted = state;
    this.#newest = links.at(-1)!.link.raw;
    await this.#parts.memory.save({ manifest: this.#manifest, state, link: this.#newest });
  }

  /** What a link that does not follow says about the node. */
  async #meaningOf(
    { error, raw }: { error: LinkRefused; raw: Uint8Array },
    state: ChainState,
    page: Page,
  ): Promise<CairnError> {
    const onAnother = error.code === "conflict" && state.seq > 0 && this.#anchors.has(state.seq);
    if (onAnother && Link.parse(raw).fields.seq === state.seq + 1) return this.#accuse(state, page);
    return broken(state.chain, state.seq + 1, error.message, raw);
  }

  /** The node has another link than ours at our seq: a fork, where it shows it and it is signed. */
  async #accuse(ours: ChainState, page: Page): Promise<CairnError> {
    const [raw] = await page(ours.seq, 1).catch(() => []);
    const link = raw && parsed(raw, ours.chain, ours.seq);
    if (link && link.id !== ours.head) {
      const { signedMessage, signature } = link;
      for (const key of [ours.admin, ...ours.access.writers]) {
        const isSigned = await this.#parts.verifier.verify(key, signedMessage, signature);
        if (isSigned) return this.#fork(ours, link);
      }
    }
    return broken(ours.chain, ours.seq, "The node stands on another link than it did.", raw);
  }

  #fork({ chain, seq, head }: ChainState, link: Link): Fork {
    const bytes = head === this.#trusted.head ? this.#newest : undefined;
    const ours = { seq, link: head, bytes };
    const theirs = { seq, link: link.id, bytes: link.raw };
    return new Fork(`There are two links at seq ${seq}.`, { chain, ours, theirs });
  }
}

function pageOf(seq: number): number {
  return Math.floor(seq / kMaxLinksPerCall);
}

/** A promise that may be left behind without a complaint of the platform. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
