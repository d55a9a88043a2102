// What the SDK offers.

import { Chains, type ChainsOptions } from "./chains/chains.js";
import { Files, type FilesOptions } from "./files/files.js";
import { VerifyingCache, type BlockShelf } from "./keep/block_cache.js";
import { Blocks } from "./node/blocks.js";
import { Transport, type TransportOptions } from "./node/transport.js";

import type { Bytes } from "./base/bytes.js";

export { fromBase64Url, fromHex, toBase64Url, toHex, type Bytes } from "./base/bytes.js";
export * from "./base/errors.js";
export type { Appended } from "./chains/sender.js";
export { Chain } from "./chains/chain.js";
export type { AppendOptions, EntriesOptions, Entry } from "./chains/chain.js";
export type { RotateOptions } from "./chains/rotation.js";
export { Chains } from "./chains/chains.js";
export type { ChainsOptions, CreateOptions, OpenOptions } from "./chains/chains.js";
export { StoredFile, type FileRef, type Progress, type ReadOptions } from "./files/file_reader.js";
export { Files, type FilesOptions, type PutFile, type PutOptions } from "./files/files.js";
export type { Sealer } from "./files/sealer.js";
export type { FileSource } from "./files/source.js";
export { formatCapability, parseCapability, type Capability } from "./formats/capability.js";
export type { ChainState } from "./formats/chain_state.js";
export { signerOf, type Signer } from "./formats/ed25519.js";
export { parseId, toCid } from "./formats/cid.js";
export { blockIdOf } from "./formats/ids.js";
export type { BlockId, ChainId, LinkId } from "./formats/ids.js";
export { blockKeyOf, deriveKey } from "./formats/keys.js";
export { maxPlaintextBytes, openBlock, padmeLength, sealBlock } from "./formats/seal.js";
export { VerifyingCache, type BlockCache, type BlockShelf } from "./keep/block_cache.js";
export { MemoryStore, type KeyValueStore } from "./keep/key_value.js";
export { Blocks, type CallOptions, type HeldBlock } from "./node/blocks.js";
export { getBlocks, putBlocks, type FetchedBlock } from "./node/many_blocks.js";
export type { TransportOptions, Waiting } from "./node/transport.js";

/**
 * The X25519 key to which {@link Chain.rotate} seals a new read secret for the holder of a seed.
 * @param seed 32 random bytes: the `reader` of {@link Chains.open}
 */
export async function readerKeyOf(seed: Uint8Array): Promise<Bytes> {
  const { boxKeyOf } = await import("./chains/later.js");
  return boxKeyOf(seed);
}

export interface CairnOptions extends TransportOptions, ChainsOptions, FilesOptions {
  /** Keeps blocks on the client; what is read from it is hashed again. */
  readonly cache?: BlockShelf;
}

/** A client of one node, or of all nodes of one site. */
export class Cairn {
  readonly blocks: Blocks;
  readonly files: Files;
  readonly chains: Chains;

  /** Nothing is sent before the first call. */
  constructor(options: CairnOptions = {}) {
    const transport = new Transport(options);
    this.blocks = new Blocks(transport, options.cache && new VerifyingCache(options.cache));
    this.files = new Files(this.blocks, options);
    this.chains = new Chains(transport, options);
  }
}
