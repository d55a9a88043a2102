// Receipts: what a node has signed, checked and held against what it says later. A node that has
// acknowledged a link and then shows another in its place is contradicted by its own signature.

import { concat, fromBase64Url, fromHex, u32, utf8, type Bytes } from "../base/bytes.js";
import { Link } from "../formats/link.js";
import { Verifier } from "../formats/verifier.js";
import type { Receipt } from "../node/chain_routes.js";

/** Both together prove to anybody that the node took back what it had acknowledged. */
export interface Contradiction {
  readonly receipt: Receipt;
  /** The link that the node shows at the receipt's place: signed by the chain's writer. */
  readonly link: Bytes;
}

export class Receipts {
  readonly #key: Bytes;
  readonly #verifier = new Verifier();

  /**
   * @param nodeKey the node's public key: `key` of `GET /v1/node` (base64url), learnt once and
   *   kept, for a node that lies would also name another
   * @throws TypeError for what is no key
   */
  constructor(nodeKey: string) {
    const key = fromBase64Url(nodeKey);
    if (key?.length !== 32) throw new TypeError("A node's key is 32 bytes in base64url.");
    this.#key = key;
  }

  /** Whether the node signed the receipt. */
  async verify(receipt: Receipt): Promise<boolean> {
    const signature = fromBase64Url(receipt.signature);
    if (signature?.length !== 64) return false;
    return this.#verifier.verify(this.#key, messageOf(receipt), signature);
  }

  /**
   * Holds a receipt against a link that came from the same node, as {@link Chain} gives it out
   * (checked: its writer signed it). The contradiction, where there is one; undefined for a receipt
   * that the node did not sign, for the same link, for another chain or another place.
   */
  async contradicted(receipt: Receipt, link: Bytes): Promise<Contradiction | undefined> {
    const { fields, id } = Link.parse(link);
    const samePlace = fields.chain === receipt.chain && fields.seq === receipt.seq;
    if (!samePlace || id === receipt.link || !(await this.verify(receipt))) return undefined;
    return { receipt, link };
  }
}

/** docs/formats.md, "Receipts". */
function messageOf({ chain, seq, link, epoch, time }: Receipt): Bytes {
  return concat(
    utf8("cairn-receipt-1"),
    fromHex(chain)!,
    u64(seq),
    fromHex(link)!,
    u32(epoch),
    u64(time),
  );
}

function u64(value: number): Bytes {
  return concat(u32(value % 2 ** 32), u32(Math.floor(value / 2 ** 32)));
}
