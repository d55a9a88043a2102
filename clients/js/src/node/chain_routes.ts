// The chain routes of a node: what they take and what they answer, by form alone. Nothing that
// comes back from here has been checked against a chain; chains/ does that.

import { toBase64Url, type Bytes } from "../base/bytes.js";
import { type BadAnswer, type Refused, WrongBytes } from "../base/errors.js";
import { chainIdOf, checkId, type BlockId, type ChainId, type LinkId } from "../formats/ids.js";
import { kMaxLinkBytes } from "../formats/link.js";
import type { Answer } from "./answer.js";
import { encodeFrames, readFrames } from "./frames.js";
import type { Request, Transport } from "./transport.js";

export const kMaxLinksPerCall = 256;
const kMaxManifestBytes = 629;
const kBytes = { "Content-Type": "application/octet-stream" };
const kLinks = { "Content-Type": "application/vnd.cairn.links" };

/** Where the node says that a chain stands. */
export interface ClaimedHead {
  readonly chain: ChainId;
  /** 0 before the first link; then `link` is the chain's id. */
  readonly seq: number;
  readonly link: LinkId;
  readonly epoch: number;
  /** Links before it are gone; 1 or less: none. */
  readonly trimmedBefore: number;
  /** The newest rotate link, which is always kept; 0: none. */
  readonly rotatedAt: number;
}

/**
 * What the node says when links have been appended: the last of them is in the chain, durably. Its
 * form alone is checked here; `Receipts` of "@cairn/client/receipts" checks the signature.
 */
export interface Receipt {
  readonly chain: ChainId;
  readonly seq: number;
  readonly link: LinkId;
  readonly epoch: number;
  /** Milliseconds since 1970, by the node's clock. */
  readonly time: number;
  /** Of the rest, by the node's key (base64url). */
  readonly signature: string;
}

export interface Reading {
  /** Of a gated chain. */
  readonly fetchToken?: Bytes | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A read, with the token that opens a gated chain. */
export function reading({ fetchToken, signal }: Reading): Request {
  const headers = fetchToken ? { Authorization: `Cairn-Fetch ${toBase64Url(fetchToken)}` } : {};
  return { headers, signal };
}

export class ChainRoutes {
  constructor(readonly transport: Transport) {}

  /** Makes a chain; a success too where it is there already. */
  async create(manifest: Bytes, signal?: AbortSignal): Promise<ChainId> {
    const chain = chainIdOf(manifest);
    const request = { method: "PUT", headers: kBytes, body: manifest, signal } as const;
    await this.transport.call(`/chains/${chain}`, request, (answer) => answer.bytes(0x10000));
    return chain;
  }

  head(chain: ChainId, options: Reading = {}): Promise<ClaimedHead> {
    return this.transport.call(`/chains/${chain}`, reading(options), async (answer) =>
      readHead(await answer.json(), chain, answer),
    );
  }

  /** Held against the chain's id. @throws WrongBytes */
  manifest(chain: ChainId, options: Reading = {}): Promise<Bytes> {
    return this.transport.call(`/chains/${chain}/manifest`, reading(options), async (answer) => {
      const bytes = await answer.bytes(kMaxManifestBytes);
      const actual = chainIdOf(bytes);
      if (actual === chain) return bytes;
      throw new WrongBytes("The manifest is not the one that the chain's id names.", {
        asked: chain,
        actual,
        bytes,
      });
    });
  }

  /** At most `limit` links from a seq on. */
  links(chain: ChainId, from: number, limit: number, options: Reading = {}): Promise<Bytes[]> {
    const path = `/chains/${chain}/links?from=${from}&limit=${limit}`;
    return this.transport.call(path, reading(options), (answer) =>
      readFrames(answer, limit, kMaxLinkBytes),
    );
  }

  /**
   * Appends all or none.
   * @throws Refused: `conflict`, `refs-missing` with {@link missingRefsOf},
   *   `denied`, `refused` (malformed), `too-large`, `full`
   */
  append(chain: ChainId, links: readonly Bytes[], signal?: AbortSignal): Promise<Receipt> {
    const request = { method: "POST", headers: kLinks, body: encodeFrames(links), signal } as const;
    return this.transport.call(`/chains/${chain}/links`, request, async (answer) => {
      const receipt = await answer.json();
      const told = (name: string) => number(receipt, name, answer);
      const link = id(receipt, "link", answer);
      const [seq, epoch, time] = ["seq", "epoch", "time"].map(told) as [number, number, number];
      return { chain, seq, link, epoch, time, signature: String(receipt["signature"]) };
    });
  }
}

/** The blocks that a link refers to and the node does not hold. */
export function missingRefsOf(refused: Refused): BlockId[] {
  const { missing } = refused.problem.more;
  if (!Array.isArray(missing)) return [];
  return missing.filter((ref): ref is BlockId => typeof ref === "string");
}

function readHead(value: Record<string, unknown>, chain: ChainId, answer: Answer): ClaimedHead {
  if (value["chain"] !== chain) throw answer.bad("the head of another chain");
  return {
    chain,
    seq: number(value, "seq", answer),
    link: id(value, "link", answer),
    epoch: number(value, "epoch", answer),
    trimmedBefore: number(value, "trimmed_before", answer),
    rotatedAt: value["rotated_at"] === undefined ? 0 : number(value, "rotated_at", answer),
  };
}

function number(value: Record<string, unknown>, name: string, answer: Answer): number {
  const member = value[name];
  if (Number.isSafeInteger(member) && (member as number) >= 0) return member as number;
  throw missing(name, answer);
}

function id(value: Record<string, unknown>, name: string, answer: Answer): string {
  try {
    return checkId(String(value[name]));
  } catch {
    throw missing(name, answer);
  }
}

function missing(name: string, answer: Answer): BadAnswer {
  return answer.bad(`no ${name}`);
}
