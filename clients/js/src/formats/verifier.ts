// Verifies many signatures of few keys. The platform's Ed25519 does it ten times faster than
// JavaScript, but libraries differ on signatures that nobody honest makes; so it is used only with
// keys of the prime-order group, for signatures in the canonical form, and only after it has shown
// that it computes the equation without the cofactor. Else, and where there is none, ours is used.

import { webCrypto } from "#webcrypto";

import { fromHex, toHex, type Bytes } from "../base/bytes.js";
import { isValidKey, PublicKey, scalarOf, signerOf } from "./ed25519.js";

const kName = "Ed25519";
const kZeros = new Uint8Array(32);
/** Keys remembered, with their tables. */
const kMaxKeys = 32;

/** R with a part of order 8, of tests/vectors/ed25519.json: fulfils 8 times the equation. */
const kCofactorTrap = {
  key: "662f86a343b2a1fcc5ca2c4a91a65bc2ef4f05e35427f8ba6d10e5f241d35b7f",
  message: "7e8cd6a80d139358",
  signature:
    "f5ca64e0be9808030c58404cf8635e583ed857e0e4b1f67daa2a367eb988bef5" +
    "1a54e070359135e66807ab21e0a90369b86a7745acd2a44eebfa9521f53be706",
};

type Check = (message: Bytes, signature: Bytes) => Promise<boolean>;

async function nativeCheckOf(key: Bytes): Promise<Check> {
  const { subtle } = webCrypto;
  const imported = await subtle.importKey("raw", key, kName, false, ["verify"]);
  return (message, signature) => subtle.verify(kName, imported, signature, message);
}

/** Whether the platform has Ed25519, and computes what we mean by it. */
async function nativeIsStrict(): Promise<boolean> {
  const { key, message, signature } = kCofactorTrap;
  const signer = signerOf(kZeros);
  try {
    const trap = await nativeCheckOf(fromHex(key)!);
    const good = await nativeCheckOf(signer.publicKey);
    const trapped = await trap(fromHex(message)!, fromHex(signature)!);
    return !trapped && (await good(kZeros, signer.sign(kZeros)));
  } catch {
    return false;
  }
}

/**
 * Whether R has y in [2, p) and S is below the order. For a key of the prime-order group the
 * equation without the cofactor leaves the neutral element as the only R of small order (y = 1).
 */
function isCanonical(signature: Uint8Array): boolean {
  if (scalarOf(signature) === undefined) return false;
  const middle = signature.subarray(1, 31);
  const top = signature[31]! & 0x7f;
  if (middle.every((byte) => byte === 0) && top === 0) return signature[0]! > 1;
  return !(middle.every((byte) => byte === 0xff) && top === 0x7f && signature[0]! >= 0xed);
}

export class Verifier {
  readonly #checks = new Map<string, Promise<Check>>();
  #strict: Promise<boolean> | undefined;

  /**
   * Whether `key` signed `message`, by the strict rules.
   * @param key one that {@link isValidKey} takes; for another the answer is false
   */
  async verify(key: Uint8Array, message: Bytes, signature: Bytes): Promise<boolean> {
    if (!isCanonical(signature)) return false;
    const name = toHex(key);
    let check = this.#checks.get(name);
    if (!check) {
      if (this.#checks.size >= kMaxKeys) this.#checks.clear();
      check = this.#checkOf(key.slice() as Bytes);
      this.#checks.set(name, check);
    }
    return (await check)(message, signature);
  }

  async #checkOf(key: Bytes): Promise<Check> {
    if (!isValidKey(key)) return async () => false;
    this.#strict ??= nativeIsStrict();
    if (await this.#strict) return nativeCheckOf(key);
    const own = PublicKey.of(key)!.prepare();
    return async (message, signature) => own.verifies(message, signature);
  }
}
