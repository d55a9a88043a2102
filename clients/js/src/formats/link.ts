// Links (docs/formats.md): one signed entry of a chain. What a link means to its chain is
// chain_state.ts's.

import { concat, fromHex, readU64, toHex, utf8, viewOf, type Bytes } from "../base/bytes.js";
import { LinkRefused } from "../base/errors.js";
import { randomBytes } from "../base/random.js";
import { kSignatureBytes, type Signer } from "./ed25519.js";
import { idBytes, kIdBytes, linkIdOf, type BlockId, type ChainId, type LinkId } from "./ids.js";
import { accessBytes, kMaxWriters, parseAccess, type Access } from "./manifest.js";
import { encryptInto, kCommitBytes, kSaltBytes, kTagBytes, openSealed, sealKeyOf } from "./seal.js";

/** A link's type and its number in the format. */
export const kLinkTypes = { data: 1, checkpoint: 2, rotate: 3, delete: 4 } as const;
export type LinkType = keyof typeof kLinkTypes;

export const kMaxLinkRefs = 1024;
/** Ciphertext and tag. */
const kMaxCiphertextBytes = 64 * 1024;
export const kMaxPayloadBytes = kMaxCiphertextBytes - kTagBytes;
/** The writer's place in a link that the admin key signs. */
export const kAdminWriter = 0xffff;

const kStart = [0x4c, 0x31, 1] as const;
const kSignedPrefix = utf8("cairn-link-1");
const kDropEarlier = 1;
const kTypeAt = 3;
const kFlagsAt = 4;
const kChainAt = 8;
const kSeqAt = 40;
const kPrevAt = 48;
const kEpochAt = 80;
const kWriterAt = 84;
const kRefCountAt = 86;
const kCiphertextSizeAt = 88;
const kSaltAt = 92;
const kCommitAt = kSaltAt + kSaltBytes;
const kHeaderBytes = kCommitAt + kCommitBytes;
/** boxPk and fetchTokenHash, in front of a rotate link's writers. */
const kRotateFixedRefs = 2;

export const kMaxLinkBytes =
  kHeaderBytes + kMaxLinkRefs * kIdBytes + kMaxCiphertextBytes + kSignatureBytes;

/** What a link says in the clear, its refs and sizes aside. */
export interface LinkFields {
  readonly type: LinkType;
  /** With a checkpoint only: links before it are dropped. */
  readonly dropsEarlier: boolean;
  readonly chain: ChainId;
  /** 1 for the first. */
  readonly seq: number;
  /** Of the first link: the chain's id. */
  readonly prev: LinkId;
  readonly epoch: number;
  /** Place among the writers, or {@link kAdminWriter}. */
  readonly writer: number;
}

function refused(what: string): LinkRefused {
  return new LinkRefused("malformed", `This is not a link of suite 1: ${what}.`);
}

function must(condition: boolean, what: string): void {
  if (!condition) throw refused(what);
}

/** A link's parts; keeps the bytes that it was read from and copies none of them. */
export class Link {
  /** SHA-256 of the whole link. */
  readonly id: LinkId;
  readonly fields: LinkFields;
  /** What a rotate link says; of others nothing. */
  readonly access: Access | undefined;
  readonly #refsEnd: number;

  private constructor(
    readonly raw: Bytes,
    refCount: number,
  ) {
    this.id = linkIdOf(raw);
    this.#refsEnd = kHeaderBytes + refCount * kIdBytes;
    this.fields = readFields(raw);
    this.access =
      this.fields.type === "rotate"
        ? readAccess(raw.subarray(kHeaderBytes, this.#refsEnd))
        : undefined;
  }

  /**
   * The form alone: exact length, magic, suite, type, flags, seq, who may sign the type, the
   * limits, and what a rotate link's refs field must hold. Says nothing of signature and chain.
   * @throws LinkRefused `malformed`
   */
  static parse(raw: Uint8Array): Link {
    must(raw.length >= kHeaderBytes && kStart.every((byte, i) => raw[i] === byte), "magic");
    const view = viewOf(raw);
    const refs = view.getUint16(kRefCountAt, true);
    const ciphertext = view.getUint32(kCiphertextSizeAt, true);
    must(
      refs <= kMaxLinkRefs && ciphertext >= kTagBytes && ciphertext <= kMaxCiphertextBytes,
      "sizes",
    );
    must(raw.length === kHeaderBytes + refs * kIdBytes + ciphertext + kSignatureBytes, "length");
    return new Link(raw as Bytes, refs);
  }

  /** The blocks that this link keeps alive; none in a rotate link. */
  get refs(): BlockId[] {
    if (this.access) return [];
    const refs: BlockId[] = [];
    for (let at = kHeaderBytes; at < this.#refsEnd; at += kIdBytes) {
      refs.push(toHex(this.raw.subarray(at, at + kIdBytes)));
    }
    return refs;
  }

  /** What the signature covers. Copies the link. */
  get signedMessage(): Bytes {
    return concat(kSignedPrefix, this.raw.subarray(0, -kSignatureBytes));
  }

  get signature(): Bytes {
    return this.raw.subarray(-kSignatureBytes);
  }

  /** The payload, under its epoch's link key. @throws NotOpened */
  open(linkKey: Uint8Array): Bytes {
    return openSealed(
      linkKey,
      this.raw.subarray(0, kCommitAt),
      this.raw.subarray(kCommitAt, kHeaderBytes),
      this.raw.subarray(0, this.#refsEnd),
      this.raw.subarray(this.#refsEnd, -kSignatureBytes),
    );
  }
}

function readFields(raw: Uint8Array): LinkFields {
  const view = viewOf(raw);
  const type = (Object.keys(kLinkTypes) as LinkType[]).find((t) => kLinkTypes[t] === raw[kTypeAt]);
  if (type === undefined) throw refused("type");
  const seq = readU64(view, kSeqAt);
  must(seq > 0, "seq 0");
  const writer = view.getUint16(kWriterAt, true);
  const byAdmin = writer === kAdminWriter;
  must(type === "checkpoint" || byAdmin === (type !== "data"), "writer");
  const flags = view.getUint32(kFlagsAt, true);
  must(flags === 0 || (type === "checkpoint" && flags === kDropEarlier), "flags");
  return {
    type,
    dropsEarlier: flags === kDropEarlier,
    chain: toHex(raw.subarray(kChainAt, kChainAt + kIdBytes)),
    seq,
    prev: toHex(raw.subarray(kPrevAt, kPrevAt + kIdBytes)),
    epoch: view.getUint32(kEpochAt, true),
    writer,
  };
}

function readAccess(refs: Uint8Array): Access {
  const count = refs.length / kIdBytes;
  must(count > kRotateFixedRefs && count <= kRotateFixedRefs + kMaxWriters, "writers");
  const access = parseAccess(refs);
  if (!access) throw refused("keys");
  return access;
}

export interface NewLink {
  readonly fields: LinkFields;
  /** Ids of blocks; a rotate link has `access` instead. */
  readonly refs?: readonly BlockId[];
  readonly access?: Access;
  readonly payload: Uint8Array;
}

/**
 * Seals the payload and signs.
 * @param linkKey the link key of the fields' epoch
 * @param signer the writer that the fields name, or the admin
 * @param salt tests only
 * @throws RangeError over 1,024 refs or a payload over 65,520 bytes
 */
export function makeLink(
  { fields, refs = [], access, payload }: NewLink,
  linkKey: Uint8Array,
  signer: Signer,
  salt = randomBytes(kSaltBytes),
): Bytes {
  const named = access ? accessBytes(access) : refs.map(idBytes);
  if (named.length > kMaxLinkRefs) throw new RangeError("A link has at most 1,024 refs.");
  if (payload.length > kMaxPayloadBytes) {
    throw new RangeError("A payload has at most 65,520 bytes.");
  }
  const refsEnd = kHeaderBytes + named.length * kIdBytes;
  const signedEnd = refsEnd + payload.length + kTagBytes;
  const raw = new Uint8Array(signedEnd + kSignatureBytes);
  const view = viewOf(raw);
  raw.set(kStart);
  raw[kTypeAt] = kLinkTypes[fields.type];
  view.setUint32(kFlagsAt, fields.dropsEarlier ? kDropEarlier : 0, true);
  raw.set(fromHex(fields.chain)!, kChainAt);
  view.setBigUint64(kSeqAt, BigInt(fields.seq), true);
  raw.set(fromHex(fields.prev)!, kPrevAt);
  view.setUint32(kEpochAt, fields.epoch, true);
  view.setUint16(kWriterAt, fields.writer, true);
  view.setUint16(kRefCountAt, named.length, true);
  view.setUint32(kCiphertextSizeAt, payload.length + kTagBytes, true);
  raw.set(salt, kSaltAt);
  const { k, commit } = sealKeyOf(linkKey, raw.subarray(0, kCommitAt));
  raw.set(commit, kCommitAt);
  named.forEach((ref, i) => raw.set(ref, kHeaderBytes + i * kIdBytes));
  encryptInto(k, payload, raw.subarray(0, refsEnd), raw.subarray(refsEnd, signedEnd));
  raw.set(signer.sign(concat(kSignedPrefix, raw.subarray(0, signedEnd))), signedEnd);
  return raw;
}
