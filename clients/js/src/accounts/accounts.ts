// Signs up, logs in and recovers.

import { fromBase64Url } from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import { randomBytes } from "../base/random.js";
import {
  accountKeysOf,
  encodeAccount,
  formatKit,
  isHandle,
  parseKit,
} from "../formats/account.js";
import { signerOf } from "../formats/ed25519.js";
import { kSecretBytes } from "../formats/keys.js";
import { Cairn, type CairnOptions } from "../index.js";
import { MemoryStore, type KeyValueStore } from "../keep/key_value.js";
import { Transport } from "../node/transport.js";
import { Account, type AccountParts } from "./account.js";
import { Logins } from "./logins.js";
import { AccountMemory } from "./memory.js";
import { AccountRoutes } from "./routes.js";
import {
  kLeastMemoryKib,
  kLeastPasses,
  kUsualCost,
  newKdf,
  newSlot,
  secretOfPassword,
  type Cost,
} from "./secrets.js";

export interface AccountsOptions extends CairnOptions {
  /** What a guess at a password costs in new slots; default 64 MiB and 3 passes. */
  readonly cost?: Cost;
  /** Remembers the newest record of each account; default: for as long as the page lives. */
  readonly records?: KeyValueStore;
}

export interface Credentials {
  readonly handle: string;
  readonly password: string;
  readonly signal?: AbortSignal;
}

/** The accounts of one site. */
export class Accounts {
  readonly #parts: AccountParts;

  /** Nothing is sent before the first call. @throws RangeError for a cost that is too low */
  constructor(options: AccountsOptions = {}) {
    const { cost = kUsualCost, records = new MemoryStore(), ...rest } = options;
    if (cost.memoryKib < kLeastMemoryKib || cost.passes < kLeastPasses) {
      throw new RangeError("A guess must cost at least 19,456 KiB and 2 passes.");
    }
    const host = new URL(options.url ?? globalThis.location.href).host.toLowerCase();
    const routes = new AccountRoutes(new Transport(options));
    const memory = new AccountMemory(records, host);
    const logins = new Logins(routes, memory, host);
    const connect: AccountParts["connect"] = (token) => new Cairn({ ...rest, token });
    this.#parts = { logins, routes, memory, cost, connect };
  }

  /**
   * Makes an account.
   * @returns it, and the kit to recover it with: show it once, for the person to keep
   * @throws Refused: `conflict` where the handle is taken, `denied` without the invite that the
   *   site asks for; RangeError for what is no handle
   */
  async signUp(
    credentials: Credentials & { readonly invite?: string },
  ): Promise<{ account: Account; recoveryKit: string }> {
    const { handle, password, invite, signal } = credentials;
    if (!isHandle(handle)) {
      throw new RangeError("A handle is 3 to 64 of a-z, 0-9 and . _ - + @.");
    }
    const secret = randomBytes(kSecretBytes);
    const kdf = newKdf(this.#parts.cost);
    const slotSecret = await secretOfPassword(password, kdf);
    const kitSecret = randomBytes(kSecretBytes);
    const login = signerOf(accountKeysOf(secret).loginSeed);
    const slots = [
      newSlot("password", slotSecret, secret, kdf),
      newSlot("recovery", kitSecret, secret),
    ];
    const record = { version: 1, login: login.publicKey, handle, slots };
    const raw = encodeAccount(record, login);
    await this.#parts.routes.put(handle, raw, invite, signal);
    await this.#parts.memory.advance(record, raw);
    const account = new Account(this.#parts, { record, secret, slotSecret });
    return { account, recoveryKit: formatKit(kitSecret) };
  }

  /**
   * @throws Refused (`denied`: handle or password is wrong), WeakKdf, WrongAccount
   */
  async logIn({ handle, password, signal }: Credentials): Promise<Account> {
    const { logins } = this.#parts;
    return new Account(this.#parts, await logins.withPassword(handle, password, signal));
  }

  /**
   * Logs in with a recovery kit and sets a new password.
   * @throws FormatError for what is no kit, Refused, WrongAccount
   */
  async recover(options: {
    readonly handle: string;
    readonly recoveryKit: string;
    readonly newPassword: string;
    readonly signal?: AbortSignal;
  }): Promise<Account> {
    const secret = parseKit(options.recoveryKit.trim());
    const { logins } = this.#parts;
    const loggedIn = await logins.through(options.handle, secret, "login", options.signal);
    const account = new Account(this.#parts, loggedIn);
    await account.changePassword(options.newPassword);
    return account;
  }

  /** Logs in with what {@link Account.saved} gave. @throws FormatError, Refused, WrongAccount */
  async resume(saved: string, signal?: AbortSignal): Promise<Account> {
    const { handle, secret } = readSaved(saved);
    const { logins } = this.#parts;
    return new Account(this.#parts, await logins.through(handle, secret, "login", signal));
  }
}

function readSaved(text: string): { handle: string; secret: ReturnType<typeof parseKit> } {
  try {
    const { handle, device } = JSON.parse(text) as Record<string, unknown>;
    const secret = fromBase64Url(String(device));
    if (typeof handle === "string" && secret?.length === kSecretBytes) return { handle, secret };
  } catch {
    // Said below.
  }
  throw new FormatError("This is not what an account was saved as.");
}
