// ChainState: what decides on a chain's next link. The same rules as the node's
// (crypto/chain_state.h, docs/formats.md). A plain value that is never changed.

import { LinkRefused, type Verdict } from "../base/errors.js";
import { PublicKey } from "./ed25519.js";
import { kAdminWriter, type Link } from "./link.js";
import type { ChainId, LinkId } from "./ids.js";
import type { Access, Manifest } from "./manifest.js";

export interface ChainState {
  readonly chain: ChainId;
  readonly gated: boolean;
  readonly admin: Uint8Array;
  readonly access: Access;
  /** Of the head; 0 before the first link. */
  readonly seq: number;
  /** Before the first link: the chain's id. */
  readonly head: LinkId;
  readonly epoch: number;
  /** Links before it may be dropped. */
  readonly firstKept: number;
  /** Seq of the newest rotate link; 0: the manifest speaks. */
  readonly rotatedAt: number;
  /** Ended by a delete link: nothing may follow. */
  readonly removed: boolean;
}

/** Before the first link. */
export function stateOf(manifest: Manifest, chain: ChainId): ChainState {
  const { gated, admin, access } = manifest;
  const start = { seq: 0, head: chain, epoch: 0, firstKept: 1, rotatedAt: 0, removed: false };
  return { chain, gated, admin, access, ...start };
}

function refused(verdict: Verdict, what: string): LinkRefused {
  return new LinkRefused(verdict, `The link does not follow: ${what}.`);
}

function must(condition: boolean, verdict: Verdict, what: string): void {
  if (!condition) throw refused(verdict, what);
}

/**
 * Whether `link` may be the next one, its signature aside.
 * @returns the key that must have signed it
 * @throws LinkRefused `conflict` when it stands at a seq that is taken, or on another link than the
 *   head; `denied` for a writer that the chain does not have; `malformed` for everything else
 */
export function signerOfNext(state: ChainState, { fields }: Link): Uint8Array {
  must(fields.chain === state.chain, "malformed", "it is of another chain");
  must(fields.seq > state.seq, "conflict", "its seq is taken");
  must(!state.removed, "malformed", "the chain has ended");
  const isNext = fields.seq === state.seq + 1 && Number.isSafeInteger(fields.seq);
  must(isNext, "malformed", "its seq is beyond the next");
  must(fields.prev === state.head, "conflict", "it stands on another link");
  // A read epoch begins with a rotate link and never comes back.
  const newEpoch = fields.type === "rotate" && fields.epoch > state.epoch;
  must(newEpoch || fields.epoch === state.epoch, "malformed", "its epoch is not the chain's");
  if (fields.writer === kAdminWriter) return state.admin;
  const key = state.access.writers[fields.writer];
  if (!key) throw refused("denied", "the chain has no such writer");
  return key;
}

/** What a link is refused with whose signature is not that of {@link signerOfNext}. */
export function notSigned(): LinkRefused {
  return refused("denied", "the signature is not the writer's");
}

/** {@link signerOfNext} and the signature (3 ms). @throws LinkRefused */
export function checkNext(state: ChainState, link: Link): void {
  const key = PublicKey.of(signerOfNext(state, link));
  if (!key?.verifies(link.signedMessage, link.signature)) throw notSigned();
}

/** The state after a link that was found to follow. */
export function advance(state: ChainState, { fields, access, id }: Link): ChainState {
  const removed = fields.type === "delete";
  return {
    ...state,
    access: access ?? state.access,
    seq: fields.seq,
    head: id,
    epoch: fields.epoch,
    firstKept: fields.dropsEarlier || removed ? fields.seq : state.firstKept,
    rotatedAt: access ? fields.seq : state.rotatedAt,
    removed,
  };
}
