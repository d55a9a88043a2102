// The account routes of a node: what they take and what they answer, by form alone.

import { fromBase64Url, toBase64Url, type Bytes } from "../base/bytes.js";
import type { Kdf } from "../formats/account.js";
import type { Answer } from "../node/answer.js";
import type { Transport } from "../node/transport.js";

export interface Challenge {
  readonly nonce: string;
  readonly algorithm: unknown;
  readonly lanes: unknown;
  readonly kdf: Kdf;
}

export interface Token {
  readonly text: string;
  /** By this machine's clock, ms. */
  readonly expires: number;
}

const kJson = { "Content-Type": "application/json" };

export class AccountRoutes {
  constructor(readonly transport: Transport) {}

  #path(handle: string, part = ""): string {
    return `/accounts/${encodeURIComponent(handle)}${part}`;
  }

  async put(handle: string, record: Bytes, invite?: string, signal?: AbortSignal): Promise<void> {
    const headers: Record<string, string> = { "Content-Type": "application/octet-stream" };
    if (invite !== undefined) headers["Cairn-Invite"] = invite;
    const request = { method: "PUT", headers, body: record, signal } as const;
    await this.transport.call(this.#path(handle), request, (answer) => answer.bytes(0x10000));
  }

  challenge(handle: string, signal?: AbortSignal): Promise<Challenge> {
    const request = { method: "POST", body: "", signal } as const;
    return this.transport.call(this.#path(handle, "/challenge"), request, async (answer) => {
      const { nonce, kdf } = await answer.json();
      const parts = (kdf ?? {}) as Record<string, unknown>;
      const salt = fromBase64Url(String(parts["salt"]));
      const memoryKib = Number(parts["memory_kib"]);
      const passes = Number(parts["passes"]);
      if (typeof nonce !== "string" || salt?.length !== 16) throw answer.bad("no challenge");
      const { algorithm, lanes } = parts;
      return { nonce, algorithm, lanes, kdf: { memoryKib, passes, salt } };
    });
  }

  logIn(
    handle: string,
    login: { nonce: string; key: Bytes; signature: Bytes; action: string },
    signal?: AbortSignal,
  ): Promise<{ token: Token; record: Bytes }> {
    const { key, signature, ...rest } = login;
    const body = JSON.stringify({
      ...rest,
      key: toBase64Url(key),
      signature: toBase64Url(signature),
    });
    const request = { method: "POST", headers: kJson, body, signal } as const;
    return this.transport.call(this.#path(handle, "/login"), request, async (answer) => {
      const value = await answer.json();
      const record = fromBase64Url(String(value["record"]));
      if (!record) throw answer.bad("no record");
      return { token: readToken(value, answer), record };
    });
  }

  refresh(token: Token): Promise<Token> {
    const request = { method: "POST", headers: bearer(token), body: "" } as const;
    return this.transport.call("/token/refresh", request, async (answer) =>
      readToken(await answer.json(), answer),
    );
  }

  async remove(handle: string, token: Token, signal?: AbortSignal): Promise<void> {
    const request = { method: "DELETE", headers: bearer(token), signal } as const;
    await this.transport.call(this.#path(handle), request, (answer) => answer.bytes(0x10000));
  }
}

function bearer(token: Token): Record<string, string> {
  return { Authorization: `Bearer ${token.text}` };
}

function readToken(value: Record<string, unknown>, answer: Answer): Token {
  const { token, expires_in: seconds } = value;
  if (typeof token !== "string" || typeof seconds !== "number") throw answer.bad("no token");
  return { text: token, expires: Date.now() + seconds * 1000 };
}
