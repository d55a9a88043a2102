// Checks a run of links against a state: all signatures at once, verdicts in order. Pure but for
// the verifier.

import { BrokenChain, LinkRefused } from "../base/errors.js";
import { advance, notSigned, signerOfNext, type ChainState } from "../formats/chain_state.js";
import type { ChainId, LinkId } from "../formats/ids.js";
import { Link } from "../formats/link.js";
import type { Verifier } from "../formats/verifier.js";

/** A link that follows, and the state before it. */
export interface Followed {
  readonly link: Link;
  readonly before: ChainState;
}

export interface Outcome {
  /** Those that follow, up to the first that does not. */
  readonly links: readonly Followed[];
  /** After them. */
  readonly state: ChainState;
  readonly refusal?: { readonly error: LinkRefused; readonly raw: Uint8Array };
}

/** Ids of links that an admin's signature further on vouches for, by seq (see start.ts). */
export type Vouched = ReadonlyMap<number, LinkId>;

/** What links say about a node that do not hang together. */
export function broken(
  chain: ChainId,
  seq: number,
  reason: string,
  bytes?: Uint8Array,
): BrokenChain {
  return new BrokenChain(`The chain breaks at seq ${seq}: ${reason}`, {
    chain,
    seq,
    reason,
    bytes,
  });
}

/** The link, where it is one and has this place. */
export function parsed(raw: Uint8Array, chain: ChainId, seq: number): Link | undefined {
  try {
    const link = Link.parse(raw);
    return link.fields.chain === chain && link.fields.seq === seq ? link : undefined;
  } catch (error) {
    if (error instanceof LinkRefused) return undefined;
    throw error;
  }
}

export async function follow(
  start: ChainState,
  raws: readonly Uint8Array[],
  verifier: Verifier,
  vouched?: Vouched,
): Promise<Outcome> {
  const links: Followed[] = [];
  const signed: Promise<boolean>[] = [];
  let state = start;
  let refusal: Outcome["refusal"];
  for (const raw of raws) {
    try {
      const link = Link.parse(raw);
      signed.push(checked(state, link, verifier, vouched));
      links.push({ link, before: state });
      state = advance(state, link);
    } catch (error) {
      if (!(error instanceof LinkRefused)) throw error;
      refusal = { error, raw };
      break;
    }
  }
  const forged = (await Promise.all(signed)).indexOf(false);
  if (forged < 0) return { links, state, ...(refusal && { refusal }) };
  const { link, before } = links[forged]!;
  return {
    links: links.slice(0, forged),
    state: before,
    refusal: { error: notSigned(), raw: link.raw },
  };
}

function checked(
  state: ChainState,
  link: Link,
  verifier: Verifier,
  vouched: Vouched | undefined,
): Promise<boolean> {
  if (vouched?.has(link.fields.seq)) {
    return Promise.resolve(vouched.get(link.fields.seq) === link.id);
  }
  const key = signerOfNext(state, link);
  return verifier.verify(key, link.signedMessage, link.signature);
}
