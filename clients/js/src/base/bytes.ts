// Bytes and their text forms. Every reader is strict: what is written has one spelling. Pure.

/** Bytes that this library made and owns. Parameters that are only read are `Uint8Array`. */
export type Bytes = Uint8Array<ArrayBuffer>;

const kHexDigits = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
const kDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const kEncoder = new TextEncoder();

export function utf8(text: string): Bytes {
  return kEncoder.encode(text) as Bytes;
}

/** `undefined` when the bytes are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return kDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += kHexDigits[byte];
  return text;
}

/** `undefined` for anything but pairs of lower-case hexadecimal digits. */
export function fromHex(text: string): Bytes | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** base64url without padding (RFC 4648, section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  let raw = "";
  for (let at = 0; at < bytes.length; at += 0x2000) {
    raw += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  }
  return btoa(raw).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** `undefined` for any spelling but the canonical one: no padding, no stray bits at the end. */
export function fromBase64Url(text: string): Bytes | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(raw, (c) => c.charCodeAt(0));
  return toBase64Url(bytes) === text ? bytes : undefined;
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Takes the same time wherever the first difference is. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Little-endian access to the integers in `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A u32, little-endian, as 4 bytes. */
export function u32(value: number): Bytes {
  const out = new Uint8Array(4);
  viewOf(out).setUint32(0, value, true);
  return out;
}

/**
 * A u64 as a number. Values over 2^53 lose their low bits but stay over 2^53, which no count of
 * this library reaches.
 */
export function readU64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}
