// The newest record of an account that this device has seen: a node must not show an older one.

import { equal, fromBase64Url, toBase64Url, type Bytes } from "../base/bytes.js";
import { parseAccount, type AccountRecord } from "../formats/account.js";
import type { KeyValueStore } from "../keep/key_value.js";
import { WrongAccount } from "./errors.js";

export class AccountMemory {
  constructor(
    readonly store: KeyValueStore,
    readonly host: string,
  ) {}

  #key(handle: string): string {
    return `cairn/account/${this.host}/${handle}`;
  }

  /**
   * Holds a record against the newest one, and keeps it.
   * @throws WrongAccount for an older one, another of the same version, or another account's
   */
  async advance(record: AccountRecord, raw: Bytes): Promise<void> {
    const { handle } = record;
    const kept = fromBase64Url((await this.store.get(this.#key(handle))) ?? "");
    const wrong = (reason: string): WrongAccount =>
      new WrongAccount(`The node's record of ${handle} is ${reason}.`, {
        handle,
        reason,
        record: raw,
      });
    if (kept && kept.length > 0) {
      const before = parseAccount(kept);
      if (!equal(before.login, record.login)) throw wrong("another account's");
      if (record.version < before.version) throw wrong("older than one seen before");
      if (record.version === before.version && !equal(kept, raw)) {
        throw wrong("not the one seen before under its version");
      }
    }
    await this.store.set(this.#key(handle), toBase64Url(raw));
  }

  /** After the account was removed: the handle may be somebody else's next. */
  async forget(handle: string): Promise<void> {
    await this.store.delete(this.#key(handle));
  }
}
