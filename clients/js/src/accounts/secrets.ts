// The secrets of slots: out of a password, or at random; and how they wrap the account's.

import { argon2idAsync } from "@noble/hashes/argon2.js";

import { utf8, type Bytes } from "../base/bytes.js";
import { randomBytes } from "../base/random.js";
import type { Kdf, Slot, SlotKind } from "../formats/account.js";
import { slotKeysOf } from "../formats/account.js";
import { signerOf } from "../formats/ed25519.js";
import { openBlock, sealBlock } from "../formats/seal.js";

/** What a guess at a password must cost at least (OWASP's smallest for Argon2id). */
export const kLeastMemoryKib = 19_456;
export const kLeastPasses = 2;

/** How costly a guess is made. */
export interface Cost {
  readonly memoryKib: number;
  readonly passes: number;
}

/** About a second in a browser of 2023. */
export const kUsualCost: Cost = { memoryKib: 65_536, passes: 3 };

export function newKdf({ memoryKib, passes }: Cost): Kdf {
  return { memoryKib, passes, salt: randomBytes(16) };
}

/** Argon2id; lets the page go on meanwhile. Unicode forms of one password are one. */
export async function secretOfPassword(password: string, kdf: Kdf): Promise<Bytes> {
  const options = { m: kdf.memoryKib, t: kdf.passes, p: 1, dkLen: 32 };
  return (await argon2idAsync(utf8(password.normalize("NFKC")), kdf.salt, options)) as Bytes;
}

/** A slot that wraps the account's secret. */
export function newSlot(kind: SlotKind, secret: Bytes, account: Bytes, kdf?: Kdf): Slot {
  const { slotSeed, wrapKey } = slotKeysOf(secret);
  const wrapped = sealBlock(account, wrapKey, { padded: false });
  return { kind, key: signerOf(slotSeed).publicKey, kdf, wrapped };
}

/** The account's secret. @throws NotOpened */
export function unwrap(slot: Slot, secret: Bytes): Bytes {
  return openBlock(slot.wrapped, slotKeysOf(secret).wrapKey);
}
