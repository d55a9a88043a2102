// New read epochs: their keys, and the grants that hand a new read secret on (FORMATS.md,
// "Grants"). With X25519 it is a part of its own, which is loaded by those who need it.

import { concat, type Bytes } from "../base/bytes.js";
import { NotOpened } from "../base/errors.js";
import { randomBytes } from "../base/random.js";
import { boxKeyOf, kBoxBytes, openBox, sealBox } from "../formats/box.js";
import type { ChainState } from "../formats/chain_state.js";
import { kSecretBytes, readKeysOf } from "../formats/keys.js";
import { kMaxPayloadBytes } from "../formats/link.js";
import type { CallOptions } from "../node/blocks.js";
import type { Draft } from "./author.js";
import { isGrants, kGrantsMagic } from "./control.js";
import type { Keyring } from "./keyring.js";

export { boxKeyOf };

/** So many fit into one payload, the owner's own included. */
const kMaxGrants = Math.floor((kMaxPayloadBytes - kGrantsMagic.length) / kBoxBytes);

/** The secrets that one of the seeds opens. They say nothing of who sealed them. */
export function openGrants(payload: Uint8Array, boxSeeds: readonly Uint8Array[]): Bytes[] {
  const secrets: Bytes[] = [];
  if (!isGrants(payload)) return secrets;
  for (let at = kGrantsMagic.length; at + kBoxBytes <= payload.length; at += kBoxBytes) {
    for (const seed of boxSeeds) {
      try {
        secrets.push(openBox(payload.subarray(at, at + kBoxBytes), seed));
      } catch (error) {
        if (!(error instanceof NotOpened)) throw error;
      }
    }
  }
  return secrets;
}

export interface RotateOptions extends CallOptions {
  /**
   * X25519 keys of those who shall read on, besides the holder of the write key; each is sealed the
   * new read secret. At most 466.
   */
  readonly readers?: readonly Uint8Array[];
  /** Ed25519 keys of those who may write from now on, 1 to 16; default: as before. */
  readonly writers?: readonly Uint8Array[];
  /** false: changes the writers alone, and everybody who could read goes on reading. */
  readonly newReadKey?: boolean;
}

/**
 * What to append for a rotation: the grants, and right behind them the rotate link that begins the
 * epoch, whose payload gives the secret before to those who have the new one. Or a rotate link
 * alone, which names other writers.
 * @param ownerBox the box seed of the write key
 * @throws RangeError over 466 readers, or for a wrong key
 */
export function rotation(
  keyring: Keyring,
  ownerBox: Uint8Array,
  { readers = [], writers, newReadKey = true }: RotateOptions,
): (head: ChainState) => Draft[] {
  if (readers.length >= kMaxGrants) throw new RangeError(`At most ${kMaxGrants - 1} readers.`);
  const secret = randomBytes(kSecretBytes);
  const { boxSeed, fetchTokenHash, linkKey } = readKeysOf(secret);
  const boxes = [boxKeyOf(ownerBox), ...readers].map((reader) => sealBox(secret, reader));
  const box = boxKeyOf(boxSeed);
  return ({ epoch, access }) => {
    const named = (writers ?? access.writers) as readonly Bytes[];
    const before = keyring.need(epoch);
    if (!newReadKey) {
      const same = { access: { ...access, writers: named }, epoch, linkKey: before.linkKey };
      return [{ type: "rotate", payload: new Uint8Array(0), rotation: same }];
    }
    const next = { access: { box, fetchTokenHash, writers: named }, epoch: epoch + 1, linkKey };
    return [
      { type: "data", payload: concat(kGrantsMagic, ...boxes) },
      { type: "rotate", payload: before.secret, rotation: next },
    ];
  };
}
