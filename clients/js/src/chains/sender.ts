// Sends links: in order, one call at a time, over races with other writers, and so that each
// arrives once however often it is sent.

import { Refused, Unreachable, type CairnError } from "../base/errors.js";
import { advance, type ChainState } from "../formats/chain_state.js";
import type { LinkId } from "../formats/ids.js";
import type { Link } from "../formats/link.js";
import { kMaxLinksPerCall, type ChainRoutes, type Receipt } from "../node/chain_routes.js";
import type { Author, Draft } from "./author.js";
import { broken } from "./follow.js";
import type { ChainLog } from "./log.js";
import type { Outbox } from "./outbox.js";

/** Races that may be lost in a row; then somebody writes faster than this client reads. */
const kMaxRaces = 32;
const kMaxCallBytes = 1024 * 1024;

/** How an append ended. */
export type Appended =
  /** Durable at the node, and the chain's from now on. */
  | { readonly state: "stored"; readonly seq: number; readonly link: LinkId }
  /** Kept in the outbox, to be sent with the next append or flush. */
  | { readonly state: "queued"; readonly reason: CairnError };

export class Sender {
  readonly #log: ChainLog;
  readonly #routes: ChainRoutes;
  readonly #author: Author;
  readonly #outbox: Outbox;
  /** The tail of the calls: each waits for the one before. */
  #tail: Promise<unknown> = Promise.resolve();
  /** The last of the outbox that was seen in the chain. */
  #landed: Link | undefined;

  constructor(
    log: ChainLog,
    routes: ChainRoutes,
    author: Author,
    outbox: Outbox,
    readonly onReceipt?: (receipt: Receipt) => void,
  ) {
    this.#log = log;
    this.#routes = routes;
    this.#author = author;
    this.#outbox = outbox;
    log.onLinks(async (links) => {
      const landed = await outbox.arrived(new Set(links.map(({ link }) => link.id)));
      this.#landed = landed ?? this.#landed;
    });
  }

  /** Puts a draft behind what is queued, and sends all of it. */
  append(draft: Draft, signal?: AbortSignal): Promise<Appended> {
    return this.#inTurn(async () => {
      const queued = await this.#onHead(this.#log.head);
      const head = queued.reduce(advance, this.#log.head);
      await this.#outbox.replace([...queued, this.#author.write(head, draft)]);
      try {
        await this.#flush(signal);
        // The newest of the queue is the last to land.
        const { fields, id } = this.#landed!;
        return { state: "stored", seq: fields.seq, link: id };
      } catch (error) {
        return await this.#unsent(error, signal);
      }
    });
  }

  /** Sends what is queued. @throws what the first refused link was refused with; it stays queued */
  flush(signal?: AbortSignal): Promise<void> {
    return this.#inTurn(() => this.#flush(signal));
  }

  /** Sends links that are not kept when that fails, behind what is queued. */
  send(draft: (head: ChainState) => readonly Draft[], signal?: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      await this.#flush(signal);
      return this.#deliver(async (head) => {
        const links: Link[] = [];
        for (const next of draft(head)) {
          links.push(this.#author.write(links.reduce(advance, head), next));
        }
        return links;
      }, signal);
    });
  }

  /** Gives up the first of the queue. */
  discard(): Promise<void> {
    return this.#inTurn(async () => this.#outbox.replace((await this.#outbox.links()).slice(1)));
  }

  async #flush(signal: AbortSignal | undefined): Promise<void> {
    let atOnce = kMaxLinksPerCall;
    while ((await this.#outbox.links()).length > 0) {
      try {
        await this.#deliver(async (on) => firstOf(await this.#onHead(on), atOnce), signal);
      } catch (error) {
        // One of several was refused: the first that is refused alone is the one.
        const several = error instanceof Refused && (await this.#outbox.links()).length > 1;
        if (!several || atOnce === 1) throw error;
        atOnce = 1;
      }
    }
  }

  /** The queue as it stands on a head; kept before it is sent. */
  async #onHead(head: ChainState): Promise<readonly Link[]> {
    const queued = await this.#outbox.links();
    let state = head;
    const moved = queued.map((link) => {
      const there = this.#author.moved(state, link);
      state = advance(state, there);
      return there;
    });
    if (moved.some((link, i) => link !== queued[i])) await this.#outbox.replace(moved);
    return moved;
  }

  /** After a failure: what has become of the newest draft. @throws what it was refused with */
  async #unsent(error: unknown, signal: AbortSignal | undefined): Promise<Appended> {
    const queued = await this.#outbox.links();
    const behindAnother = error instanceof Refused && queued.length > 1;
    const waits = error instanceof Unreachable || behindAnother;
    if (this.#outbox.isKept && waits) return { state: "queued", reason: error as CairnError };
    if (!(this.#outbox.isKept && signal?.aborted)) await this.#outbox.replace(queued.slice(0, -1));
    throw error;
  }

  async #deliver(
    build: (head: ChainState) => Promise<readonly Link[]>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (let race = 1; ; race++) {
      const head = this.#log.head;
      const links = await build(head);
      if (links.length === 0) return;
      const raws = links.map(({ raw }) => raw);
      const after = links.reduce(advance, head);
      try {
        const receipt = await this.#routes.append(head.chain, raws, signal);
        this.onReceipt?.(receipt);
        if (receipt.seq === after.seq && receipt.link === after.head) await this.#log.take(raws);
        else await this.#mustHold(after, signal);
        return;
      } catch (error) {
        if (!(error instanceof Refused && error.code === "conflict")) throw error;
        if (race >= kMaxRaces) throw error;
        await this.#catchUp(head, signal);
      }
    }
  }

  /** Sent before and taken then, the links may be behind others by now. */
  async #mustHold(
    { chain, seq, head }: ChainState,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let there: Link | undefined;
    for await (const { link } of this.#log.walk(seq, signal)) there ??= link;
    if (there?.id !== head) {
      throw broken(chain, seq, "The node acknowledged another link.", there?.raw);
    }
  }

  /** After a lost race: reads what was first. */
  async #catchUp(head: ChainState, signal: AbortSignal | undefined): Promise<void> {
    if (this.#log.head.seq === head.seq) await this.#log.sync(signal);
    if (this.#log.head.seq > head.seq) return;
    throw broken(
      head.chain,
      head.seq + 1,
      "The node refuses as a conflict what stands on its head.",
    );
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work, work);
    this.#tail = turn.catch(() => {});
    return turn;
  }
}

function firstOf(links: readonly Link[], most: number): readonly Link[] {
  let bytes = 0;
  const end = links.findIndex((link, i) => {
    bytes += link.raw.length;
    return i >= most || (i > 0 && bytes > kMaxCallBytes);
  });
  return end < 0 ? links : links.slice(0, end);
}
