// Every error that this library throws on its own account. `code` is stable and is what a program
// branches on; messages are for people and may change. Wrong arguments are plain TypeError and
// RangeError, and an aborted call throws its signal's reason.

/** Base of all errors here. */
export abstract class CairnError extends Error {
  /** Stable, in kebab case; the classes below say which. */
  abstract readonly code: string;

  /** Not the class's name, which bundlers change. */
  override get name(): string {
    return `Cairn ${this.code}`;
  }
}

/** Text or bytes that are not of the format they are read as. Code `malformed`. */
export class FormatError extends CairnError {
  readonly code = "malformed";
}

/**
 * A sealed block or payload that did not open: another key, changed bytes, another format. By
 * design it does not say which. Code `not-opened`.
 */
export class NotOpened extends CairnError {
  readonly code = "not-opened";
  constructor() {
    super("The bytes do not open under this key.");
  }
}

/** Why a link does not follow (docs/formats.md, "Link"). */
export type Verdict = "malformed" | "conflict" | "denied";

/** A link that does not follow on its chain. The code is the verdict. */
export class LinkRefused extends CairnError {
  constructor(
    readonly code: Verdict,
    message: string,
  ) {
    super(message);
  }
}

/** The reader holds no secret for a read epoch: it was not granted to them. Code `no-key`. */
export class NoKey extends CairnError {
  readonly code = "no-key";
  constructor(readonly epoch: number) {
    super(`No key that is held here opens read epoch ${epoch}.`);
  }
}

/** The node could not be reached, or did not answer in time. */
export class Unreachable extends CairnError {
  constructor(
    readonly code: "unreachable" | "timeout",
    options?: ErrorOptions,
  ) {
    super(
      code === "timeout" ? "The node did not answer in time." : "The node could not be reached.",
      options,
    );
  }
}

/** A problem document (RFC 9457), as far as the node gave one. */
export interface Problem {
  /** HTTP status. */
  readonly status: number;
  /** `/problems/…`, or "" without a document. */
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  /** What a person can do about it, or "". */
  readonly hint: string;
  /** When to come back, in ms, where the node says it. */
  readonly retryAfterMs?: number | undefined;
  /** Members beyond those of RFC 9457 and `hint`, unchecked. */
  readonly more: Readonly<Record<string, unknown>>;
}

export type RefusalCode =
  | "denied"
  | "not-held"
  | "conflict"
  | "too-large"
  | "refs-missing"
  | "busy"
  | "full"
  | "refused";

const kCodeOfStatus: Readonly<Record<number, RefusalCode>> = {
  401: "denied",
  403: "denied",
  404: "not-held",
  409: "conflict",
  413: "too-large",
  424: "refs-missing",
  429: "busy",
  502: "busy",
  503: "busy",
  504: "busy",
  507: "full",
};

/** The node answered, and refused. The code goes by the status; `problem` has the particulars. */
export class Refused extends CairnError {
  readonly code: RefusalCode;
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title || `The node refused with status ${problem.status}.`);
    this.code = kCodeOfStatus[problem.status] ?? "refused";
  }
}

/**
 * The node, or somebody between, gave what no honest node gives. `evidence` is what a person needs
 * to show it; nothing of the answer was used.
 */
export abstract class Misbehaviour<E = unknown> extends CairnError {
  constructor(
    message: string,
    readonly evidence: E,
  ) {
    super(message);
  }
}

/** An answer that is not of the API: cut off, not JSON, of another shape. Code `bad-answer`. */
export class BadAnswer extends Misbehaviour<{
  readonly route: string;
  readonly reason: string;
}> {
  readonly code = "bad-answer";
}

/** Bytes that are not those that the id names. Code `wrong-bytes`. */
export class WrongBytes extends Misbehaviour<{
  readonly asked: string;
  readonly actual: string;
  readonly bytes: Uint8Array;
}> {
  readonly code = "wrong-bytes";
}

/** Where a chain stood: a seq and the id of the link there; `bytes` where they are at hand. */
export interface Position {
  readonly seq: number;
  readonly link: string;
  readonly bytes?: Uint8Array | undefined;
}

/** Links that do not follow on what the node gave before. Code `broken-chain`. */
export class BrokenChain extends Misbehaviour<{
  readonly chain: string;
  /** Where it breaks. */
  readonly seq: number;
  readonly reason: string;
  /** The offending link, where there is one. */
  readonly bytes?: Uint8Array | undefined;
}> {
  readonly code = "broken-chain";
}

/** The node shows less of a chain than was seen before. Code `rollback`. */
export class Rollback extends Misbehaviour<{
  readonly chain: string;
  readonly remembered: Position;
  readonly claimed: Position;
}> {
  readonly code = "rollback";
}

/** Two signed links at one seq. Code `fork`. */
export class Fork extends Misbehaviour<{
  readonly chain: string;
  readonly ours: Position;
  readonly theirs: Position;
}> {
  readonly code = "fork";
}

/** A read secret that is not the one its chain names. Code `wrong-keys`. */
export class WrongKeys extends Misbehaviour<{
  readonly chain: string;
  readonly epoch: number;
  /** The X25519 key that the chain names, and that of the secret given; hexadecimal. */
  readonly expected: string;
  readonly actual: string;
}> {
  readonly code = "wrong-keys";
}
