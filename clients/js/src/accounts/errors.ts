// What a node can do wrong about an account.

import { Misbehaviour } from "../base/errors.js";

/**
 * The node asked for a derivation that would make the password easy to guess. The password was not
 * used. Code `weak-kdf`.
 */
export class WeakKdf extends Misbehaviour<{
  readonly handle: string;
  readonly algorithm: unknown;
  readonly memoryKib: number;
  readonly passes: number;
}> {
  readonly code = "weak-kdf";
}

/**
 * The record is not one that the account's owner has signed last, as far as this device knows. Code
 * `wrong-account`.
 */
export class WrongAccount extends Misbehaviour<{
  readonly handle: string;
  readonly reason: string;
  readonly record: Uint8Array;
}> {
  readonly code = "wrong-account";
}
