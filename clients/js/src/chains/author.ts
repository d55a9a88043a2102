// Writes links in the name of one writer, or of the admin.

import { equal, type Bytes } from "../base/bytes.js";
import { LinkRefused } from "../base/errors.js";
import type { ChainState } from "../formats/chain_state.js";
import type { Signer } from "../formats/ed25519.js";
import type { BlockId } from "../formats/ids.js";
import { kAdminWriter, Link, makeLink, type LinkType } from "../formats/link.js";
import type { Access } from "../formats/manifest.js";
import type { Keyring } from "./keyring.js";

/** A link before it has its place. */
export interface Draft {
  readonly type: LinkType;
  readonly dropsEarlier?: boolean;
  readonly refs?: readonly BlockId[];
  readonly payload: Uint8Array;
  /** Of a rotate link; `epoch` and `linkKey` are those that it begins. */
  readonly rotation?: { readonly access: Access; readonly epoch: number; readonly linkKey: Bytes };
}

export class Author {
  readonly #keyring: Keyring;
  readonly #writer: Signer | undefined;
  readonly #admin: Signer | undefined;

  constructor(keyring: Keyring, writer: Signer | undefined, admin: Signer | undefined) {
    this.#keyring = keyring;
    this.#writer = writer;
    this.#admin = admin;
  }

  /**
   * The link that says this on this head.
   * @throws LinkRefused `denied` where the chain names no key of ours, `malformed` after its end;
   *   NoKey
   */
  write(head: ChainState, draft: Draft): Link {
    if (head.removed) throw new LinkRefused("malformed", "The chain has ended with a delete link.");
    const { type, dropsEarlier = false, refs, payload, rotation } = draft;
    const { writer, signer } = this.#signer(head, type);
    const epoch = rotation?.epoch ?? head.epoch;
    const linkKey = rotation?.linkKey ?? this.#keyring.need(epoch).linkKey;
    const fields = {
      type,
      dropsEarlier,
      chain: head.chain,
      seq: head.seq + 1,
      prev: head.head,
      epoch,
      writer,
    };
    const parts = {
      fields,
      payload,
      ...(refs && { refs }),
      ...(rotation && { access: rotation.access }),
    };
    return Link.parse(makeLink(parts, linkKey, signer));
  }

  /** The same on another head, where it does not stand on this one. */
  moved(head: ChainState, link: Link): Link {
    if (link.fields.prev === head.head && link.fields.seq === head.seq + 1) return link;
    const payload = link.open(this.#keyring.need(link.fields.epoch).linkKey);
    const { type, dropsEarlier } = link.fields;
    return this.write(head, { type, dropsEarlier, refs: link.refs, payload });
  }

  #signer(head: ChainState, type: LinkType): { writer: number; signer: Signer } {
    const signer = this.#writer;
    if (signer && (type === "data" || type === "checkpoint")) {
      const writer = head.access.writers.findIndex((key) => equal(key, signer.publicKey));
      if (writer >= 0) return { writer, signer };
    }
    if (this.#admin && type !== "data" && equal(this.#admin.publicKey, head.admin)) {
      return { writer: kAdminWriter, signer: this.#admin };
    }
    throw new LinkRefused("denied", "The chain names no key of ours that may write this.");
  }
}
