// The list of stored files.

import { formatBytes, formatCount, formatWhen } from "../format.js";
import { byId, h } from "./dom.js";

/**
 * @typedef {import("../shelf.js").ShelfEntry} ShelfEntry
 * @typedef {{ onOpen: (entry: ShelfEntry) => void, onShare: (entry: ShelfEntry) => void,
 *   onForget: (entry: ShelfEntry) => void }} ListActions
 */

/** @param {ShelfEntry} entry @returns {string} a word for the file's icon */
function kindOf({ name, type }) {
  const [major, minor = ""] = type.split("/");
  const suffix = /\.([A-Za-z0-9]{1,4})$/.exec(name)?.[1];
  return (suffix ?? (major === "text" ? "txt" : minor.slice(0, 4)) ?? "").toUpperCase() || "FILE";
}

/**
 * @param {ShelfEntry} entry @param {boolean} gone the node says that it holds the file no more
 * @param {ListActions} actions
 */
function row(entry, gone, { onOpen, onShare, onForget }) {
  const { name, size, blocks, storedBytes, time, shared } = entry;
  const facts = [
    formatBytes(size),
    storedBytes > 0 && `${formatCount(blocks + 1, "block")}, ${formatBytes(storedBytes)} sealed`,
    `${shared ? "opened from a link" : "stored"} ${formatWhen(time)}`,
  ].filter((fact) => fact !== false);
  /** @param {string} label @param {string} kind @param {() => void} run */
  const action = (label, kind, run) =>
    h(
      "button",
      {
        class: `button small ${kind}`,
        type: "button",
        "aria-label": `${label}: ${name}`,
        onclick: run,
      },
      label,
    );
  return h(
    "li",
    { class: "file", "data-id": entry.id },
    h("span", { class: "file-kind", "aria-hidden": "true" }, kindOf(entry)),
    h(
      "div",
      { class: "file-words" },
      h("h3", { class: "file-name" }, h("bdi", {}, name)),
      h("p", { class: "muted" }, facts.join(" · ")),
      gone && h("p", { class: "gone" }, "This node no longer holds it."),
    ),
    h(
      "div",
      { class: "row file-actions" },
      action("Fetch and open", "primary", () => onOpen(entry)),
      action("Share", "", () => onShare(entry)),
      action("Forget", "quiet", () => onForget(entry)),
    ),
  );
}

/**
 * @param {readonly ShelfEntry[]} entries @param {Set<string>} gone ids that the node lacks
 * @param {ListActions} actions
 */
export function showFileList(entries, gone, actions) {
  const rows = entries.map((entry) => row(entry, gone.has(entry.id), actions));
  byId("files", HTMLUListElement).replaceChildren(...rows);
  byId("files-empty", HTMLElement).hidden = entries.length > 0;
}
