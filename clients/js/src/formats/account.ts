// Accounts (docs/formats.md): the record, its slots, what a login signs, the recovery kit. Pure.

import { concat, fromBase64Url, isZero, toBase64Url, u32, utf8, viewOf } from "../base/bytes.js";
import type { Bytes } from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import { crc32, kChecksumBytes } from "./checksum.js";
import { isValidKey, PublicKey, type Signer } from "./ed25519.js";
import { deriveKey, kSecretBytes } from "./keys.js";
import { kSealOverheadBytes } from "./seal.js";

const kAccount = "cairn-a1";
const kSlot = "cairn-s1";
const kStart = [0x41, 0x31, 1, 0] as const;
const kSigned = "cairn-account-1";
const kSignedLogin = "cairn-login-1";
const kMaxSlots = 16;
const kHandleAt = 45;
const kKeyBytes = 32;
const kSaltBytes = 16;
const kKdfAt = 1 + kKeyBytes;
const kSaltAt = kKdfAt + 10;
const kWrappedAt = kSaltAt + kSaltBytes;
const kWrappedBytes = kSealOverheadBytes + kSecretBytes;
const kSlotBytes = kWrappedAt + kWrappedBytes;
const kSignatureBytes = 64;
const kKinds = ["password", "recovery", "device"] as const;

export type SlotKind = (typeof kKinds)[number];

/** Argon2id of one lane. */
export interface Kdf {
  readonly memoryKib: number;
  readonly passes: number;
  /** 16 bytes. */
  readonly salt: Bytes;
}

/** One way to log in: it wraps the account's secret. */
export interface Slot {
  readonly kind: SlotKind;
  /** Ed25519: signs a login through this slot. */
  readonly key: Bytes;
  /** Of a password's slot. */
  readonly kdf?: Kdf | undefined;
  readonly wrapped: Bytes;
}

export interface AccountRecord {
  /** 1 or more; each record replaces one with a smaller version. */
  readonly version: number;
  /** Ed25519: signs the record. */
  readonly login: Bytes;
  readonly handle: string;
  readonly slots: readonly Slot[];
}

/** What an account's secret gives. */
export function accountKeysOf(secret: Uint8Array): {
  loginSeed: Bytes;
  homeSecret: Bytes;
  homeSalt: Bytes;
} {
  return {
    loginSeed: deriveKey(secret, 1, kAccount),
    homeSecret: deriveKey(secret, 2, kAccount),
    homeSalt: deriveKey(secret, 3, kAccount).slice(0, kSaltBytes),
  };
}

/** What a slot's secret gives. */
export function slotKeysOf(secret: Uint8Array): { slotSeed: Bytes; wrapKey: Bytes } {
  return { slotSeed: deriveKey(secret, 1, kSlot), wrapKey: deriveKey(secret, 2, kSlot) };
}

/** 3 to 64 of `a-z 0-9 . _ - + @`, a letter or digit at both ends. */
export function isHandle(text: string): boolean {
  return /^[a-z0-9][a-z0-9._+@-]{1,62}[a-z0-9]$/.test(text);
}

function encodeSlot({ kind, key, kdf, wrapped }: Slot): Bytes {
  const head = Uint8Array.of(kKinds.indexOf(kind) + 1);
  if (!kdf) return concat(head, key, new Uint8Array(10 + kSaltBytes), wrapped);
  const cost = concat(u32(kdf.memoryKib), u32(kdf.passes), Uint8Array.of(1));
  return concat(head, key, Uint8Array.of(1), cost, kdf.salt, wrapped);
}

/** The record's bytes, signed. `login` is the account's own key. */
export function encodeAccount(record: AccountRecord, login: Signer): Bytes {
  const version = new Uint8Array(8);
  viewOf(version).setBigUint64(0, BigInt(record.version), true);
  const handle = utf8(record.handle);
  const body = concat(
    Uint8Array.of(...kStart),
    version,
    record.login,
    Uint8Array.of(handle.length),
    handle,
    Uint8Array.of(record.slots.length),
    ...record.slots.map(encodeSlot),
  );
  return concat(body, login.sign(concat(utf8(kSigned), body)));
}

function readSlot(raw: Uint8Array): Slot | undefined {
  const view = viewOf(raw);
  const kind = kKinds[raw[0]! - 1];
  const key = raw.slice(1, kKdfAt) as Bytes;
  const wrapped = raw.slice(kWrappedAt) as Bytes;
  const isPassword = raw[0] === 1;
  if (!kind || !isValidKey(key) || raw[kKdfAt] !== (isPassword ? 1 : 0)) return undefined;
  if (!isPassword) {
    return isZero(raw.subarray(kKdfAt, kWrappedAt)) ? { kind, key, wrapped } : undefined;
  }
  const memoryKib = view.getUint32(kKdfAt + 1, true);
  const passes = view.getUint32(kKdfAt + 5, true);
  const inRange = memoryKib >= 8192 && memoryKib <= 1048576 && passes >= 1 && passes <= 16;
  if (!inRange || raw[kKdfAt + 9] !== 1) return undefined;
  const kdf = { memoryKib, passes, salt: raw.slice(kSaltAt, kWrappedAt) as Bytes };
  return { kind, key, kdf, wrapped };
}

/**
 * Strict inverse of {@link encodeAccount}; the signature is checked.
 * @throws FormatError for anything else
 */
export function parseAccount(raw: Uint8Array): AccountRecord {
  const refused = new FormatError("This is not an account record of suite 1, or not signed.");
  const handleBytes = raw[kHandleAt - 1] ?? 0;
  const slotsAt = kHandleAt + handleBytes + 1;
  const count = raw[slotsAt - 1] ?? 0;
  const shaped =
    kStart.every((byte, i) => raw[i] === byte) &&
    count >= 1 &&
    count <= kMaxSlots &&
    raw.length === slotsAt + count * kSlotBytes + kSignatureBytes;
  if (!shaped) throw refused;
  const version = Number(viewOf(raw).getBigUint64(4, true));
  const login = raw.slice(12, 44) as Bytes;
  const handle = String.fromCharCode(...raw.subarray(kHandleAt, kHandleAt + handleBytes));
  const slots = Array.from({ length: count }, (_, i) =>
    readSlot(raw.subarray(slotsAt + i * kSlotBytes, slotsAt + (i + 1) * kSlotBytes)),
  );
  const keys = new Set(slots.map((slot) => slot && toBase64Url(slot.key)));
  const passwords = slots.filter((slot) => slot?.kind === "password").length;
  const end = raw.length - kSignatureBytes;
  const message = concat(utf8(kSigned), raw.subarray(0, end));
  const good =
    version >= 1 &&
    isHandle(handle) &&
    slots.every((slot) => slot) &&
    keys.size === count &&
    passwords <= 1 &&
    isValidKey(login) &&
    PublicKey.of(login)!.verifies(message, raw.subarray(end));
  if (!good) throw refused;
  return { version, login, handle, slots: slots as Slot[] };
}

/** What a login signs. @throws RangeError for a part over 255 bytes */
export function loginMessage(handle: string, host: string, nonce: string, action: string): Bytes {
  const parts = [handle, host, nonce, action].map(utf8);
  if (parts.some(({ length }) => length > 255)) throw new RangeError("A part is over 255 bytes.");
  return concat(
    utf8(kSignedLogin),
    ...parts.flatMap((part) => [Uint8Array.of(part.length), part]),
  );
}

/** @param secret a recovery slot's, 32 bytes */
export function formatKit(secret: Uint8Array): string {
  const body = concat(Uint8Array.of(1), secret);
  return `cairn_k_${toBase64Url(concat(body, u32(crc32(body))))}`;
}

/** @throws FormatError for anything but a kit's one spelling */
export function parseKit(text: string): Bytes {
  const raw = text.startsWith("cairn_k_") ? fromBase64Url(text.slice(8)) : undefined;
  const end = 1 + kSecretBytes;
  if (raw?.length === end + kChecksumBytes && raw[0] === 1) {
    if (viewOf(raw).getUint32(end, true) === crc32(raw.subarray(0, end))) {
      return raw.slice(1, end) as Bytes;
    }
  }
  throw new FormatError("This is not a recovery kit: it is damaged, or cut short.");
}
