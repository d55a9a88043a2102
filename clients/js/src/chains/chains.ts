// Makes and opens chains.

import type { Bytes } from "../base/bytes.js";
import { randomBytes } from "../base/random.js";
import { formatCapability, parseCapability, type Capability } from "../formats/capability.js";
import { signerOf, type Signer } from "../formats/ed25519.js";
import { kSecretBytes, writeKeysOf } from "../formats/keys.js";
import { Verifier } from "../formats/verifier.js";
import { MemoryStore, type KeyValueStore } from "../keep/key_value.js";
import type { CallOptions } from "../node/blocks.js";
import { ChainRoutes, type Receipt } from "../node/chain_routes.js";
import type { Transport } from "../node/transport.js";
import { Author } from "./author.js";
import { Chain } from "./chain.js";
import { ownerBoxSeed } from "./control.js";
import { Keyring } from "./keyring.js";
import { ChainLog } from "./log.js";
import { ChainMemory } from "./memory.js";
import { Outbox } from "./outbox.js";
import { Sender } from "./sender.js";

export interface ChainsOptions {
  /** Remembers the newest head of each chain; default: for as long as the page lives. */
  readonly heads?: KeyValueStore | undefined;
  /** Keeps what could not be sent; default: append throws instead. */
  readonly outbox?: KeyValueStore | undefined;
  /** Told what the node says of each append that it took: to keep as evidence (`Receipts`). */
  readonly onReceipt?: ((receipt: Receipt) => void) | undefined;
}

export interface CreateOptions extends CallOptions {
  /** Whether the node asks for the fetch token on every read; default false. */
  readonly gated?: boolean;
  /** Ed25519 keys that may write besides the write key's own; at most 15. */
  readonly writers?: readonly Uint8Array[];
  /** The chain's write secret, 32 bytes; default random. */
  readonly secret?: Bytes;
  /** 16 bytes; default random. With the same secret it is the same chain. */
  readonly salt?: Bytes;
}

export interface OpenOptions extends CallOptions {
  /** The Ed25519 seed of a writer that the chain names, for one who has a read capability. */
  readonly writer?: Uint8Array;
  /** The X25519 seed of a reader to whom new read secrets are sealed. */
  readonly reader?: Uint8Array;
}

export class Chains {
  readonly #routes: ChainRoutes;
  readonly #verifier = new Verifier();
  readonly #heads: KeyValueStore;
  readonly #outbox: KeyValueStore | undefined;
  readonly #onReceipt: ChainsOptions["onReceipt"];

  constructor(transport: Transport, options: ChainsOptions = {}) {
    this.#routes = new ChainRoutes(transport);
    this.#heads = options.heads ?? new MemoryStore();
    this.#outbox = options.outbox;
    this.#onReceipt = options.onReceipt;
  }

  /**
   * Makes a chain.
   * @returns it, and the capability to write it: whoever has that text owns the chain
   * @throws Refused, Unreachable
   */
  async create(options: CreateOptions = {}): Promise<{ chain: Chain; capability: string }> {
    const { gated = false, writers = [], signal, salt } = options;
    const { secret = randomBytes(kSecretBytes) } = options;
    const { newManifest } = await import("./later.js");
    const manifest = newManifest(secret, gated, writers as readonly Bytes[], salt);
    const id = await this.#routes.create(manifest, signal);
    const capability = formatCapability({ kind: "write", chain: id, secret });
    return { chain: await this.open(capability, { signal }), capability };
  }

  /**
   * Opens a chain with a capability string. Nothing is checked against the node yet but the
   * manifest, and not even that for a chain that is remembered: it opens while offline. Open a
   * chain once: two that write from one outbox would write twice.
   * @throws FormatError for what is no capability, WrongBytes, Refused (`not-held`), Unreachable
   */
  async open(capability: string, options: OpenOptions = {}): Promise<Chain> {
    const parsed = parseCapability(capability);
    const { chain } = parsed;
    const own = ownKeys(parsed, options);
    const keyring = new Keyring(chain, own.readSecret, own.boxSeeds);
    const parts = {
      chain,
      routes: this.#routes,
      verifier: this.#verifier,
      memory: new ChainMemory(this.#heads, chain),
      fetchToken: () => keyring.fetchToken,
    };
    const log = await ChainLog.open(parts, options.signal);
    await keyring.place(log.genesis);
    await keyring.place(log.head);
    log.onLinks((links) => keyring.see(links));
    const outbox = new Outbox(chain, this.#outbox);
    const author = new Author(keyring, own.writer, own.admin);
    const sender = new Sender(log, this.#routes, author, outbox, this.#onReceipt);
    return new Chain({
      log,
      transport: this.#routes.transport,
      keyring,
      sender,
      outbox,
      ownerBox: own.ownerBox,
    });
  }
}

interface OwnKeys {
  readonly readSecret?: Bytes;
  readonly writer?: Signer | undefined;
  readonly admin?: Signer;
  readonly ownerBox?: Uint8Array;
  readonly boxSeeds: readonly Uint8Array[];
}

function ownKeys(capability: Capability, { writer, reader }: OpenOptions): OwnKeys {
  const given = writer && signerOf(writer);
  const boxSeeds = reader ? [reader] : [];
  if (capability.kind === "verify") return { writer: given, boxSeeds };
  if (capability.kind === "read") return { readSecret: capability.secret, writer: given, boxSeeds };
  const { signSeed, adminSeed, readSecret } = writeKeysOf(capability.secret);
  const ownerBox = ownerBoxSeed(capability.secret);
  return {
    readSecret,
    writer: given ?? signerOf(signSeed),
    admin: signerOf(adminSeed),
    ownerBox,
    boxSeeds: [ownerBox, ...boxSeeds],
  };
}
