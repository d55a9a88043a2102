// What went wrong, in the words of someone who can do something about it. Pure; no I/O.

import { formatMs } from "./format.js";
import { NodeError } from "./node_client.js";
import { TamperError } from "./sealer.js";

/**
 * @typedef {object} Explanation
 * @property {string} title @property {string} text @property {string} [hint]
 * @property {string} [evidence]
 */

/** @type {Record<import("./node_client.js").NodeErrorKind, { title: string, hint: string }>} */
const kNodeTexts = {
  unreachable: {
    title: "The node does not answer",
    hint: "Check that it is running and that your network reaches it, then try again.",
  },
  denied: {
    title: "This site does not take blocks from everyone",
    hint: 'Its write policy says so. The operator can set write = "anyone" for this site.',
  },
  busy: {
    title: "The node is too busy",
    hint: "It asked to come back later. Nothing is lost: try again in a moment.",
  },
  full: {
    title: "The node's disk is full",
    hint: "It keeps a reserve free, so reading still works. The operator can add space.",
  },
  "too-large": {
    title: "The node takes only smaller blocks",
    hint: "The operator can raise block_bytes under [limits].",
  },
  "not-held": {
    title: "The node does not hold this block",
    hint: "It may have been deleted, or the link belongs to another node.",
  },
  unexpected: {
    title: "The node refused",
    hint: "The node's log says more about this request.",
  },
};

/** @param {TamperError} error @returns {Explanation} */
function explainTamper(error) {
  if (error.code === "id") {
    return {
      title: "Tampered block refused",
      text:
        "The answer is not the block that was asked for. A block's id is the SHA-256 of its " +
        "bytes, and these bytes have another. Nothing was opened.",
      evidence: `asked for  ${error.id}\nanswer is  ${error.actualId}`,
      hint: "A fault on the way or on the disk, or someone in between. See cairn fsck.",
    };
  }
  return {
    title: error.code === "commit" ? "This key does not open the block" : "Damaged block refused",
    text: `${error.message} Nothing was opened.`,
    evidence: `block  ${error.id}`,
    hint: "If you came by a link, ask for it again: it may have been cut or mixed up.",
  };
}

/** @param {unknown} error @returns {Explanation} */
export function explain(error) {
  if (error instanceof TamperError) return explainTamper(error);
  if (error instanceof NodeError) {
    const { title, hint } = kNodeTexts[error.kind];
    const status = error.status > 0 ? ` (status ${error.status})` : "";
    return { title, text: `${error.message}${status}`, hint: error.hint || hint };
  }
  if (error instanceof DOMException && /^Not(Readable|Found)Error$/.test(error.name)) {
    return {
      title: "The file could not be read",
      text: "It was moved, changed or locked while it was being read, or it is a folder.",
      hint: "Choose it again; for a folder, choose the files in it.",
    };
  }
  const text = error instanceof Error ? error.message : String(error);
  return { title: "That did not work", text };
}

/** @param {import("./node_client.js").Waiting} waiting @returns {string} */
export function explainWaiting({ status, ms }) {
  const why = {
    0: "The node does not answer",
    429: "The node asks for a slower pace (429)",
    503: "The node is busy (503)",
    507: "The node's disk is full (507)",
  }[status];
  return `${why ?? `The node answered ${status}`}. Trying again in ${formatMs(Math.ceil(ms))}.`;
}
