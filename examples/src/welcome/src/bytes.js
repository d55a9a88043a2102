// Text forms of bytes, and the few byte operations that the page needs. Pure; no I/O.

const kHexDigits = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

/** @param {Uint8Array} bytes @returns {string} lower-case hex */
export function toHex(bytes) {
  let text = "";
  for (const byte of bytes) text += kHexDigits[byte];
  return text;
}

/**
 * Upper case is refused: an id has one spelling.
 * @param {string} text @returns {Uint8Array | null} null when it is not lower-case hex
 */
export function fromHex(text) {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** @param {Uint8Array} bytes @returns {string} base64url without padding (RFC 4648, section 5) */
export function toBase64Url(bytes) {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * Only the canonical spelling is read: no padding, no stray bits at the end.
 * @param {string} text @returns {Uint8Array | null} null when it is not base64url
 */
export function fromBase64Url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(raw, (c) => c.charCodeAt(0));
  return toBase64Url(bytes) === text ? bytes : null;
}

/**
 * Takes the same time wherever the first difference is.
 * @param {Uint8Array} a @param {Uint8Array} b @returns {boolean}
 */
export function equalInConstantTime(a, b) {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}

/**
 * Shannon entropy of the byte values: 8 is what noise has, English text has about 4.5.
 * @param {Uint8Array} bytes @returns {number} bits a byte
 */
export function entropyBits(bytes) {
  if (bytes.length === 0) return 0;
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte]++;
  let bits = 0;
  for (const count of counts) {
    if (count > 0) bits -= (count / bytes.length) * Math.log2(count / bytes.length);
  }
  return Math.abs(bits);
}
