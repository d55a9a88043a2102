// Logging in: the challenge, the signature, and every check of what comes back.

import { equal, type Bytes } from "../base/bytes.js";
import { CairnError, NotOpened } from "../base/errors.js";
import {
  accountKeysOf,
  loginMessage,
  parseAccount,
  slotKeysOf,
  type AccountRecord,
  type Kdf,
} from "../formats/account.js";
import { signerOf } from "../formats/ed25519.js";
import { WeakKdf, WrongAccount } from "./errors.js";
import type { AccountMemory } from "./memory.js";
import type { AccountRoutes, Challenge, Token } from "./routes.js";
import { kLeastMemoryKib, kLeastPasses, secretOfPassword, unwrap } from "./secrets.js";

export interface LoggedIn {
  readonly record: AccountRecord;
  /** The account's. */
  readonly secret: Bytes;
  readonly slotSecret: Bytes;
  /** None right after a sign-up. */
  readonly token?: Token | undefined;
}

export class Logins {
  constructor(
    readonly routes: AccountRoutes,
    readonly memory: AccountMemory,
    readonly host: string,
  ) {}

  /**
   * With a password. It is used only where the node asks for a derivation that is costly enough.
   * @throws WeakKdf, WrongAccount, Refused (`denied`: handle or password is wrong)
   */
  async withPassword(handle: string, password: string, signal?: AbortSignal): Promise<LoggedIn> {
    const challenge = await this.routes.challenge(handle, signal);
    checkCost(handle, challenge);
    const secret = await secretOfPassword(password, challenge.kdf);
    return this.#answer(handle, challenge, secret, "login", signal);
  }

  /** With the secret of a slot that has no password. */
  async through(
    handle: string,
    secret: Bytes,
    action: "login" | "delete" = "login",
    signal?: AbortSignal,
  ): Promise<LoggedIn> {
    const challenge = await this.routes.challenge(handle, signal);
    return this.#answer(handle, challenge, secret, action, signal);
  }

  async #answer(
    handle: string,
    challenge: Challenge,
    slotSecret: Bytes,
    action: "login" | "delete",
    signal?: AbortSignal,
  ): Promise<LoggedIn> {
    const { nonce } = challenge;
    const signer = signerOf(slotKeysOf(slotSecret).slotSeed);
    const signature = signer.sign(loginMessage(handle, this.host, nonce, action));
    const login = { nonce, key: signer.publicKey, signature, action };
    const { token, record: raw } = await this.routes.logIn(handle, login, signal);
    const wrong = (reason: string): WrongAccount =>
      new WrongAccount(`The node's record of ${handle} is wrong: ${reason}.`, {
        handle,
        reason,
        record: raw,
      });
    const record = readRecord(raw, wrong);
    if (record.handle !== handle) throw wrong("it is of another handle");
    const slot = record.slots.find(({ key }) => equal(key, signer.publicKey));
    if (!slot) throw wrong("it has no slot that this login came through");
    if (slot.kdf && !sameKdf(slot.kdf, challenge.kdf)) {
      throw wrong("its derivation is not the one that was asked for");
    }
    let secret: Bytes;
    try {
      secret = unwrap(slot, slotSecret);
    } catch (error) {
      if (error instanceof NotOpened) throw wrong("its wrapped secret does not open");
      throw error;
    }
    const owner = signerOf(accountKeysOf(secret).loginSeed).publicKey;
    if (!equal(owner, record.login)) throw wrong("its secret is not the account's");
    await this.memory.advance(record, raw);
    return { record, secret, slotSecret, token };
  }
}

function readRecord(raw: Bytes, wrong: (reason: string) => WrongAccount): AccountRecord {
  try {
    return parseAccount(raw);
  } catch (error) {
    if (error instanceof CairnError) throw wrong("it is malformed, or not signed by the account");
    throw error;
  }
}

function sameKdf(a: Kdf, b: Kdf): boolean {
  return a.memoryKib === b.memoryKib && a.passes === b.passes && equal(a.salt, b.salt);
}

function checkCost(handle: string, { algorithm, lanes, kdf }: Challenge): void {
  const { memoryKib, passes } = kdf;
  const enough =
    algorithm === "argon2id" &&
    lanes === 1 &&
    memoryKib >= kLeastMemoryKib &&
    memoryKib <= 1_048_576 &&
    passes >= kLeastPasses &&
    passes <= 16;
  if (enough) return;
  throw new WeakKdf("The node asks for a derivation that this does not do with a password.", {
    handle,
    algorithm,
    memoryKib,
    passes,
  });
}
