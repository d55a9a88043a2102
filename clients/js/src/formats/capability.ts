// Capability strings (docs/formats.md): a chain's id with a secret, for a URL's fragment or a file.
// Never sent to a server, never logged.

import {
  concat,
  fromBase64Url,
  toBase64Url,
  toHex,
  u32,
  viewOf,
  type Bytes,
} from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import { crc32, kChecksumBytes } from "./checksum.js";
import { idBytes, kIdBytes, type ChainId } from "./ids.js";
import { kSecretBytes } from "./keys.js";

/** What its holder can do with the chain. `secret`: W, R, or nothing. */
export type Capability =
  | { readonly kind: "write"; readonly chain: ChainId; readonly secret: Bytes }
  | { readonly kind: "read"; readonly chain: ChainId; readonly secret: Bytes }
  | { readonly kind: "verify"; readonly chain: ChainId };

const kSuite = 1;
const kLetters = { write: "w", read: "r", verify: "v" } as const;

/** @throws RangeError for a secret of another length than 32 bytes, FormatError for a wrong id */
export function formatCapability(capability: Capability): string {
  const secret = capability.kind === "verify" ? new Uint8Array(0) : capability.secret;
  if (capability.kind !== "verify" && secret.length !== kSecretBytes) {
    throw new RangeError("A secret has 32 bytes.");
  }
  const body = concat(Uint8Array.of(kSuite), idBytes(capability.chain), secret);
  return `cairn_${kLetters[capability.kind]}_${toBase64Url(concat(body, u32(crc32(body))))}`;
}

/**
 * @throws FormatError for anything but a capability's one spelling; it does not say what is wrong
 */
export function parseCapability(text: string): Capability {
  const match = /^cairn_([wrv])_(.*)$/s.exec(text);
  const raw = match && fromBase64Url(match[2]!);
  if (raw) {
    const secretBytes = match[1] === kLetters.verify ? 0 : kSecretBytes;
    const end = 1 + kIdBytes + secretBytes;
    if (raw.length === end + kChecksumBytes && raw[0] === kSuite) {
      if (viewOf(raw).getUint32(end, true) === crc32(raw.subarray(0, end))) {
        const chain = toHex(raw.subarray(1, 1 + kIdBytes));
        if (match[1] === kLetters.verify) return { kind: "verify", chain };
        const kind = match[1] === kLetters.write ? "write" : "read";
        return { kind, chain, secret: raw.slice(1 + kIdBytes, end) };
      }
    }
  }
  throw new FormatError("This is not a capability: it is damaged, or cut short.");
}
