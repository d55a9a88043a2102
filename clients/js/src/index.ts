// What the SDK offers. Everything else is its own affair.

export * from "./base/errors.js";
export { fromBase64Url, fromHex, toBase64Url, toHex, type Bytes } from "./base/bytes.js";
export * from "./formats/capability.js";
export { isValidKey, PublicKey, signerOf, type Signer } from "./formats/ed25519.js";
export { blockIdOf, parseId, toCid } from "./formats/ids.js";
export type { BlockId, ChainId, LinkId } from "./formats/ids.js";
export * from "./formats/keys.js";
