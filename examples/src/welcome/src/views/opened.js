// A file that was fetched back: on one side what this browser sees, on the other what the node has.

import { explain, explainWaiting } from "../explain.js";
import { formatBytes, formatCount, formatMs, shortId } from "../format.js";
import { dotField, entropyMeter, hexDump, hexLegend } from "./byte_views.js";
import { announce, byId, h } from "./dom.js";
import { notice } from "./notices.js";
import { previewOf } from "./preview.js";

/**
 * @typedef {import("../transfer.js").FetchedFile} FetchedFile
 * @typedef {{ stored: import("../transfer.js").StoredFile | null, byLink: boolean }} Story how the
 *   file came to be here: stored a moment ago, by a share link, or neither
 */

/** @param {string} text @param {string} [tag] @param {"error"} [tone] */
function title(text, tag, tone) {
  return h(
    "h2",
    { id: "opened-title", tabindex: "-1" },
    h("bdi", {}, text),
    tag ? h("span", { class: "tag", "data-tone": tone }, tag) : null,
  );
}

/** @param {FetchedFile} file @param {Story} story */
function storyOf({ blocks }, { stored, byLink }) {
  const count = formatCount(blocks.length, "block");
  const back = "each was held against its id, then opened here.";
  const secret = "The node saw only what is on its side below: it has no key, no name, no type.";
  if (stored) {
    const spent = `${formatMs(stored.sealMs)} of sealing, ${formatMs(stored.ms)} in all`;
    const text = `Your browser sealed this file into ${count} and sent them (${spent}). `;
    return h("p", { class: "story" }, `${text}Then it fetched them back: ${back} ${secret}`);
  }
  const key = byLink
    ? "The link brought the key after its #, a part that your browser never sends."
    : "The key came from this browser's list.";
  return h("p", { class: "story" }, `${count} came from the node; ${back} ${key} ${secret}`);
}

/** @param {string} label @param {string} value @param {string} more */
function tile(label, value, more) {
  return h("div", { class: "tile" }, h("dt", {}, label), h("dd", {}, value, h("small", {}, more)));
}

/** @param {FetchedFile} file */
function tiles({ index, blocks, ms, openMs }) {
  const sealed = blocks.reduce((sum, { size }) => sum + size, 0);
  const sources = new Map();
  for (const { source } of blocks) sources.set(source, (sources.get(source) ?? 0) + 1);
  const origin = [...sources].map(([source, count]) => `${count} from ${source}`).join(", ");
  return h(
    "dl",
    { class: "tiles" },
    tile("File", formatBytes(index.size), "as you see it"),
    tile(
      "On the node",
      formatBytes(sealed),
      `${formatCount(blocks.length, "block")} with the index`,
    ),
    tile("Fetched in", formatMs(ms), origin),
    tile("Checked and opened", formatCount(blocks.length, "block"), `in ${formatMs(openMs)}, here`),
  );
}

/** @param {FetchedFile} file @param {HTMLElement} preview */
function sides({ index, sight }, preview) {
  const which = index.blocks.length === 0 ? "the index block" : "the first block";
  return h(
    "div",
    { class: "sides" },
    h(
      "section",
      { class: "side", "data-side": "yours", "aria-labelledby": "side-yours" },
      h("h3", { id: "side-yours" }, "What you see"),
      h("div", { class: "sight" }, preview),
      entropyMeter(sight.opened, "Randomness of the file"),
      h("p", { class: "muted" }, `The first bytes of ${which}, opened:`),
      hexDump(sight.opened, { sealed: false, label: "First bytes, opened" }),
    ),
    h(
      "section",
      { class: "side", "data-side": "node", "aria-labelledby": "side-node" },
      h("h3", { id: "side-node" }, "What the node sees"),
      h("div", { class: "sight" }, dotField(sight.sealed, "The sealed bytes as dots: noise")),
      entropyMeter(sight.sealed, "Randomness of the sealed block"),
      h("p", { class: "muted" }, `The first bytes of ${which}, as the node sent them:`),
      hexDump(sight.sealed, { sealed: true, label: "First bytes, sealed" }),
      hexLegend(),
    ),
  );
}

/** @param {FetchedFile} file */
function blockTable({ blocks }) {
  const rows = blocks.map(({ id, isIndex, size, source, ms }, i) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, isIndex ? "index" : String(i)),
      h("td", {}, h("code", { title: id, "data-block": id }, shortId(id))),
      h("td", { class: "number" }, formatBytes(size)),
      h("td", { "data-source": source }, source),
      h("td", { class: "number" }, formatMs(ms)),
      h("td", { class: "ok" }, "✓ matches"),
    ),
  );
  const heads = ["Block", "Id", "Size", "From", "Time", "SHA-256"];
  return h(
    "details",
    { class: "blocks", open: blocks.length <= 12 },
    h(
      "summary",
      {},
      `The ${formatCount(blocks.length, "block")} of this file, as the node knows them`,
    ),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Blocks of this file" },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
        h("tbody", {}, ...rows),
      ),
    ),
  );
}

export class OpenedView {
  /** @param {{ onClose: () => void }} on */
  constructor({ onClose }) {
    this.section_ = byId("opened", HTMLElement);
    this.onClose_ = onClose;
    this.url_ = "";
    this.bar_ = h("progress", { "aria-label": "Fetching" });
    this.status_ = h("p", { class: "job-status" });
  }

  /** @param {string} name @param {() => void} onCancel */
  begin(name, onCancel) {
    this.release_();
    this.bar_ = h("progress", { max: "1", "aria-label": `Fetching ${name}` });
    this.status_ = h("p", { class: "job-status" }, "Asking the node for the blocks");
    const cancel = h(
      "button",
      { class: "button small", type: "button", onclick: onCancel },
      "Cancel",
    );
    this.show_(
      "fetching",
      h("div", { class: "opened-head" }, title(name), h("div", { class: "row" }, cancel)),
      this.bar_,
      this.status_,
    );
    this.focus_();
    announce(`Fetching ${name}`);
  }

  /** @param {import("../transfer.js").Progress} progress */
  progress({ done, total }) {
    this.bar_.value = done / total;
    const count = formatCount(total, "block");
    this.status_.textContent = `${done} of ${count} fetched, checked and opened`;
  }

  /** @param {import("../node_client.js").Waiting} waiting */
  waiting(waiting) {
    this.status_.textContent = explainWaiting(waiting);
    announce(this.status_.textContent);
  }

  /** @param {FetchedFile} file @param {Story} story @param {() => void} onShare */
  async opened(file, story, onShare) {
    const { name } = file.index;
    const preview = await previewOf(file.blob, name);
    // Without its type: opened in a tab it would be a page of this origin, whoever it came from.
    this.url_ = URL.createObjectURL(file.blob.slice(0, file.blob.size, "application/octet-stream"));
    const download = h(
      "a",
      { class: "button small primary", href: this.url_, download: name },
      "Download",
    );
    const share = h("button", { class: "button small", type: "button", onclick: onShare }, "Share");
    this.show_(
      "open",
      h(
        "div",
        { class: "opened-head" },
        title(name, "opened"),
        h("div", { class: "row" }, download, share, this.closeButton_()),
      ),
      storyOf(file, story),
      tiles(file),
      sides(file, preview),
      blockTable(file),
    );
    this.focus_();
    announce(`${name} was fetched, checked and opened`);
  }

  /** @param {string} name @param {unknown} error @param {() => void} onRetry */
  failed(name, error, onRetry) {
    const box = notice(explain(error), { actions: [{ label: "Try again", run: onRetry }] });
    this.show_(
      "failed",
      h(
        "div",
        { class: "opened-head" },
        title(name, "not opened", "error"),
        h("div", { class: "row" }, this.closeButton_()),
      ),
      box,
    );
    this.focus_();
  }

  close() {
    this.release_();
    this.section_.hidden = true;
    this.section_.replaceChildren();
  }

  closeButton_() {
    return h(
      "button",
      { class: "button small quiet", type: "button", onclick: this.onClose_ },
      "Close",
    );
  }

  /** @param {"fetching" | "open" | "failed"} state @param {...HTMLElement} children */
  show_(state, ...children) {
    this.section_.dataset.state = state;
    this.section_.replaceChildren(...children);
    this.section_.hidden = false;
  }

  /** The title takes the focus, so that keyboard and screen reader are where the news is. */
  focus_() {
    byId("opened-title", HTMLElement).focus({ preventScroll: true });
    this.section_.scrollIntoView({ block: "start" });
  }

  release_() {
    if (this.url_) URL.revokeObjectURL(this.url_);
    this.url_ = "";
  }
}
