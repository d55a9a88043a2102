// Where the walk over a chain begins whose first links a checkpoint has dropped: before that
// checkpoint. What stands there on trust is the admin's: chain id -> manifest -> admin key ->
// rotate link -> writers (docs/formats.md). A part of its own, loaded when it is needed.

import type { ChainState } from "../formats/chain_state.js";
import type { LinkId } from "../formats/ids.js";
import { kAdminWriter, type Link } from "../formats/link.js";
import type { Verifier } from "../formats/verifier.js";
import { kMaxLinksPerCall, type ClaimedHead } from "../node/chain_routes.js";
import { kUnknownAccess } from "./control.js";
import { broken, parsed, type Vouched } from "./follow.js";

/** At most `limit` links from a seq on, as the node gives them. */
export type Page = (from: number, limit: number) => Promise<Uint8Array[]>;

export interface Start {
  readonly state: ChainState;
  readonly vouched?: Vouched;
}

/**
 * @param genesis the state before the first link
 * @throws BrokenChain where the node's answers do not hang together
 */
export async function startOf(
  genesis: ChainState,
  claimed: ClaimedHead,
  page: Page,
  verifier: Verifier,
): Promise<Start> {
  const first = claimed.trimmedBefore;
  const { chain } = genesis;
  const link = await linkAt(chain, first, page);
  const { type, dropsEarlier, prev } = link.fields;
  if (!dropsEarlier && type !== "delete") {
    throw broken(chain, first, "Links are gone and no checkpoint dropped them.", link.raw);
  }
  const state = {
    ...genesis,
    seq: first - 1,
    head: prev,
    epoch: link.fields.epoch,
    firstKept: first,
  };
  const { rotatedAt } = claimed;
  if (rotatedAt === 0) return { state };
  if (rotatedAt < first) {
    const rotate = await linkAt(chain, rotatedAt, page);
    await mustBeRotate(rotate, genesis, verifier);
    return { state: { ...state, access: rotate.access!, epoch: rotate.fields.epoch, rotatedAt } };
  }
  // Who could write between the checkpoint and the newest rotate link may have stood in a rotate
  // link that is gone. The admin's signature covers those links through their prev ids.
  const unknown = { ...state, access: kUnknownAccess };
  return { state: unknown, vouched: await vouchedUntil(rotatedAt, state, page, verifier) };
}

async function linkAt(chain: string, seq: number, page: Page): Promise<Link> {
  const [raw] = await page(seq, 1);
  if (!raw) throw broken(chain, seq, "The link is missing.");
  return mustBe(raw, chain, seq);
}

function mustBe(raw: Uint8Array, chain: string, seq: number): Link {
  const link = parsed(raw, chain, seq);
  if (!link) throw broken(chain, seq, "Another link was given in its place.", raw);
  return link;
}

async function mustBeRotate(
  link: Link,
  { chain, admin }: ChainState,
  verifier: Verifier,
): Promise<void> {
  const { type, seq, writer } = link.fields;
  const isRotate = type === "rotate" && writer === kAdminWriter;
  if (isRotate && (await verifier.verify(admin, link.signedMessage, link.signature))) return;
  throw broken(chain, seq, "This is not a rotate link of the chain's admin.", link.raw);
}

async function vouchedUntil(
  rotatedAt: number,
  start: ChainState,
  page: Page,
  verifier: Verifier,
): Promise<Vouched> {
  const ids = new Map<number, LinkId>();
  let prev = start.head;
  for (let seq = start.seq + 1; seq <= rotatedAt; ) {
    const raws = await page(seq, Math.min(kMaxLinksPerCall, rotatedAt - seq + 1));
    if (raws.length === 0) throw broken(start.chain, seq, "Links are missing.");
    for (const raw of raws) {
      const link = mustBe(raw, start.chain, seq);
      if (link.fields.prev !== prev) {
        throw broken(start.chain, seq, "It stands on another link.", raw);
      }
      ids.set(seq, link.id);
      if (seq === rotatedAt) await mustBeRotate(link, start, verifier);
      prev = link.id;
      seq++;
    }
  }
  return ids;
}
