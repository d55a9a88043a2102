// An account that one is logged in to. Its secret stays in memory; `saved()` is for those who want
// to stay signed in.

import { equal, toBase64Url, toHex, type Bytes } from "../base/bytes.js";
import { Refused } from "../base/errors.js";
import { randomBytes } from "../base/random.js";
import type { Chain } from "../chains/chain.js";
import {
  accountKeysOf,
  encodeAccount,
  formatKit,
  slotKeysOf,
  type AccountRecord,
  type Slot,
  type SlotKind,
} from "../formats/account.js";
import { signerOf } from "../formats/ed25519.js";
import { kSecretBytes } from "../formats/keys.js";
import { Cairn } from "../index.js";
import type { AccountMemory } from "./memory.js";
import type { AccountRoutes, Token } from "./routes.js";
import { newKdf, newSlot, secretOfPassword, type Cost } from "./secrets.js";
import type { LoggedIn, Logins } from "./logins.js";

/** A token that ends sooner is exchanged first. */
const kTokenMarginMs = 120_000;

/** One way to log in. */
export interface SlotInfo {
  readonly kind: SlotKind;
  /** Names the slot; hexadecimal. */
  readonly key: string;
  /** This session came through it. */
  readonly current: boolean;
}

export interface AccountParts {
  readonly logins: Logins;
  readonly routes: AccountRoutes;
  readonly memory: AccountMemory;
  readonly cost: Cost;
  /** Makes a client whose writes carry this account's token. */
  readonly connect: (token: () => Promise<string | undefined>) => Cairn;
}

export class Account {
  readonly handle: string;
  /** A client whose writes are this account's. */
  readonly cairn: Cairn;
  readonly #parts: AccountParts;
  /** The account's secret. */
  #secret: Bytes;
  /** The secret of the slot that this session came through. */
  #slotSecret: Bytes;
  #record: AccountRecord;
  #token: Token | undefined;
  #renewal: Promise<Token> | undefined;
  #home: Promise<Chain> | undefined;

  constructor(parts: AccountParts, loggedIn: LoggedIn) {
    this.#parts = parts;
    this.handle = loggedIn.record.handle;
    this.#secret = loggedIn.secret;
    this.#slotSecret = loggedIn.slotSecret;
    this.#record = loggedIn.record;
    this.#token = loggedIn.token;
    this.cairn = parts.connect(() => this.token());
  }

  /** A bearer token that is good for a while; `undefined` once logged out. */
  async token(): Promise<string | undefined> {
    if (this.#slotSecret.length === 0) return undefined;
    if (this.#token && this.#token.expires - kTokenMarginMs > Date.now()) return this.#token.text;
    this.#renewal ??= this.#renew();
    try {
      this.#token = await this.#renewal;
    } finally {
      this.#renewal = undefined;
    }
    return this.#token.text;
  }

  async #renew(): Promise<Token> {
    if (this.#token && this.#token.expires > Date.now()) {
      try {
        return await this.#parts.routes.refresh(this.#token);
      } catch (error) {
        if (!(error instanceof Refused) || error.code !== "denied") throw error;
      }
    }
    return (await this.#logIn()).token!;
  }

  async #logIn(): Promise<LoggedIn> {
    const again = await this.#parts.logins.through(this.handle, this.#slotSecret);
    this.#record = again.record;
    return again;
  }

  /** The account's own chain: gated, and made when it is first asked for. */
  home(): Promise<Chain> {
    this.#home ??= this.#openHome().catch((error: unknown) => {
      this.#home = undefined;
      throw error;
    });
    return this.#home;
  }

  async #openHome(): Promise<Chain> {
    const { homeSecret, homeSalt } = accountKeysOf(this.#secret);
    const options = { gated: true, secret: homeSecret, salt: homeSalt };
    return (await this.cairn.chains.create(options)).chain;
  }

  slots(): readonly SlotInfo[] {
    const own = this.#ownKey();
    return this.#record.slots.map(({ kind, key }) => ({
      kind,
      key: toHex(key),
      current: equal(key, own),
    }));
  }

  #ownKey(): Bytes {
    return signerOf(slotKeysOf(this.#slotSecret).slotSeed).publicKey;
  }

  /** Other sessions through the old password end within 15 minutes. */
  async changePassword(password: string): Promise<void> {
    const kdf = newKdf(this.#parts.cost);
    const secret = await secretOfPassword(password, kdf);
    const through = this.slots().find(({ current }) => current)?.kind;
    const slot = newSlot("password", secret, this.#secret, kdf);
    await this.#change((slots) => [slot, ...slots.filter(({ kind }) => kind !== "password")]);
    if (through === "password") this.#useSlot(secret);
  }

  /** The kit before is of no use any more. */
  async newRecoveryKit(): Promise<string> {
    const secret = randomBytes(kSecretBytes);
    const slot = newSlot("recovery", secret, this.#secret);
    await this.#change((slots) => [...slots.filter(({ kind }) => kind !== "recovery"), slot]);
    return formatKit(secret);
  }

  /**
   * A text that logs this device in again (`Accounts.resume`), for as long as its slot is there. It
   * is as secret as a password.
   */
  async saved(): Promise<string> {
    const secret = randomBytes(kSecretBytes);
    const slot = newSlot("device", secret, this.#secret);
    await this.#change((slots) => [...slots, slot]);
    return JSON.stringify({ handle: this.handle, device: toBase64Url(secret) });
  }

  /** Whoever logged in through that slot cannot any more. @param key of {@link slots} */
  async removeSlot(key: string): Promise<void> {
    await this.#change((slots) => slots.filter((slot) => toHex(slot.key) !== key));
  }

  /** Removes the account from the node; its chains stay until they are removed themselves. */
  async delete(): Promise<void> {
    const { token } = await this.#parts.logins.through(this.handle, this.#slotSecret, "delete");
    await this.#parts.routes.remove(this.handle, token!);
    await this.#parts.memory.forget(this.handle);
    this.logOut();
  }

  /** Forgets the secrets. */
  logOut(): void {
    this.#secret.fill(0);
    this.#slotSecret = new Uint8Array(0);
    this.#token = undefined;
  }

  #useSlot(secret: Bytes): void {
    this.#slotSecret = secret;
    this.#token = undefined;
  }

  /** Changes the newest record; another device may have changed it meanwhile. */
  async #change(change: (slots: readonly Slot[]) => readonly Slot[]): Promise<void> {
    const { loginSeed } = accountKeysOf(this.#secret);
    const login = signerOf(loginSeed);
    for (let attempt = 1; ; attempt++) {
      if (attempt > 1) await this.#logIn();
      const { version, slots } = this.#record;
      const next = { ...this.#record, version: version + 1, slots: change(slots) };
      const raw = encodeAccount(next, login);
      try {
        await this.#parts.routes.put(this.handle, raw);
        await this.#parts.memory.advance(next, raw);
        this.#record = next;
        return;
      } catch (error) {
        const raced = error instanceof Refused && error.code === "conflict";
        if (!raced || attempt === 4) throw error;
      }
    }
  }
}
