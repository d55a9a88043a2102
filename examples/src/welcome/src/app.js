// The page: joins the list, the transfers and the views. Runs on the page's main thread; sealing
// runs in a worker.

import { equalInConstantTime } from "./bytes.js";
import { formatBytes, formatMs } from "./format.js";
import { NodeClient } from "./node_client.js";
import { Sealer } from "./sealer.js";
import { parseShareLink, shareLink } from "./share_link.js";
import { browserStorage, Shelf } from "./shelf.js";
import { fetchFile, kMaxFileBytes, storeFile } from "./transfer.js";
import { askToForget, showShareDialog } from "./views/dialogs.js";
import { announce, byId } from "./views/dom.js";
import { startDropZone } from "./views/drop_zone.js";
import { showFileList } from "./views/file_list.js";
import { JobView } from "./views/job.js";
import { insecureContextNotice, notice } from "./views/notices.js";
import { OpenedView } from "./views/opened.js";

/** Larger files are not fetched back unasked. */
const kOpenAtOnceBytes = 32 * 1024 * 1024;
/** Asked for when there is nothing else to ask the node about: no block has this id. */
const kNoBlock = "0".repeat(64);

/** @typedef {import("./shelf.js").ShelfEntry} ShelfEntry */

class App {
  constructor() {
    this.sealer_ = new Sealer(document.body.dataset.worker ?? "");
    this.shelf_ = new Shelf(browserStorage());
    /** @type {Set<string>} ids of index blocks that the node says it lacks */
    this.gone_ = new Set();
    /** Files are stored one after another; blocks of one file several at once. */
    this.queue_ = Promise.resolve();
    this.storing_ = 0;
    this.fetching_ = new AbortController();
    /** @type {ShelfEntry | null} */
    this.openEntry_ = null;
    this.opened_ = new OpenedView({ onClose: () => this.close_() });
  }

  start() {
    startDropZone((files) => this.storeAll_(files));
    this.showList_();
    void this.lookAtNode_();
    window.addEventListener("storage", () => {
      this.shelf_.reload();
      this.showList_();
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.storing_ > 0) event.preventDefault();
    });
    window.addEventListener("hashchange", () => this.followLink_());
    window.addEventListener("online", () => void this.lookAtNode_());
    this.followLink_();
  }

  /** Asks which of the listed files the node holds, and shows that it answers. */
  async lookAtNode_() {
    const ids = this.shelf_.entries.map(({ id }) => id);
    try {
      const asked = ids.length > 0 ? ids : [kNoBlock];
      const { missing, ms } = await new NodeClient().missing(asked, new AbortController().signal);
      this.gone_ = missing;
      this.showNodeState_("up", `Node answers in ${formatMs(ms)}`);
      this.showList_();
    } catch {
      this.showNodeState_("down", "Node does not answer");
    }
  }

  /** @param {"up" | "down"} state @param {string} text */
  showNodeState_(state, text) {
    byId("node-state", HTMLElement).dataset.state = state;
    byId("node-state-text", HTMLElement).textContent = text;
    byId("eyebrow", HTMLElement).textContent =
      state === "up" ? "Your node is running" : "Looking for your node";
  }

  showList_() {
    showFileList(this.shelf_.entries, this.gone_, {
      onOpen: (entry) => void this.open_(entry),
      onShare: (entry) => this.share_(entry),
      onForget: (entry) => void this.forget_(entry),
    });
    if (!this.shelf_.lasting) {
      byId("files-note", HTMLElement).textContent =
        "This browser keeps nothing for this page: the list ends when you leave it.";
    }
  }

  /** @param {File[]} files */
  storeAll_(files) {
    files.forEach((file, i) => this.enqueue_(file, i === files.length - 1));
  }

  /**
   * @param {File} file @param {boolean} thenOpen
   * @returns {JobView | null} null when the file is not taken
   */
  enqueue_(file, thenOpen) {
    if (file.size > kMaxFileBytes) {
      const size = formatBytes(file.size);
      const text = `${file.name} has ${size}; this page takes files of up to 256 MiB.`;
      const hint = "The node has no such limit: its API takes any number of blocks.";
      const box = notice(
        { title: "Too large for this page", text, hint },
        {
          kind: "warn",
          actions: [{ label: "Dismiss", run: () => box.remove() }],
        },
      );
      byId("notices", HTMLElement).append(box);
      return null;
    }
    const abort = new AbortController();
    const view = new JobView(file, { onCancel: () => abort.abort() });
    abort.signal.addEventListener("abort", () => {
      view.remove();
      announce(`Storing ${file.name} was cancelled`);
    });
    byId("jobs", HTMLElement).append(view.element);
    this.storing_++;
    this.queue_ = this.queue_
      .then(() => this.store_(file, view, abort.signal, thenOpen))
      .finally(() => this.storing_--);
    return view;
  }

  /**
   * @param {File} file @param {JobView} view @param {AbortSignal} signal
   * @param {boolean} thenOpen
   */
  async store_(file, view, signal, thenOpen) {
    if (signal.aborted) return;
    view.begin();
    try {
      const client = new NodeClient({ onWait: (waiting) => view.waiting(waiting) });
      const onProgress = view.progress.bind(view);
      const stored = await storeFile(file, { client, sealer: this.sealer_, signal, onProgress });
      const { id, read, blocks, storedBytes } = stored;
      const { name, type, size } = file;
      const entry = {
        id,
        read,
        name,
        type,
        size,
        blocks,
        storedBytes,
        time: Date.now(),
        shared: false,
      };
      this.shelf_.add(entry);
      view.remove();
      this.showNodeState_("up", "Node answers");
      this.showList_();
      announce(`${name} is stored`);
      if (thenOpen && size <= kOpenAtOnceBytes) void this.open_(entry, { stored, byLink: false });
    } catch (error) {
      if (signal.aborted) return;
      view.fail(error, () => this.enqueue_(file, thenOpen)?.focus());
      void this.lookAtNode_();
    }
  }

  /** @param {ShelfEntry} entry @param {import("./views/opened.js").Story} [story] */
  async open_(entry, story = { stored: null, byLink: false }) {
    this.fetching_.abort();
    const abort = new AbortController();
    this.fetching_ = abort;
    this.openEntry_ = entry;
    const { signal } = abort;
    const name = entry.name || "Shared file";
    this.opened_.begin(name, () => this.close_());
    try {
      const client = new NodeClient({ onWait: (waiting) => this.opened_.waiting(waiting) });
      const onProgress = this.opened_.progress.bind(this.opened_);
      const file = await fetchFile(entry, { client, sealer: this.sealer_, signal, onProgress });
      if (signal.aborted) return;
      const known = this.learn_(entry, file);
      await this.opened_.opened(file, story, () => this.share_(known));
    } catch (error) {
      if (signal.aborted) return;
      this.opened_.failed(name, error, () => void this.open_(entry, story));
      void this.lookAtNode_();
    }
  }

  /**
   * What a share link does not say, the index does: the file goes onto the list with it.
   * @param {ShelfEntry} entry @param {import("./transfer.js").FetchedFile} file
   */
  learn_(entry, { index, blocks }) {
    if (entry.storedBytes > 0) return entry;
    const storedBytes = blocks.reduce((sum, { size }) => sum + size, 0);
    const { name, type, size } = index;
    const known = { ...entry, name, type, size, blocks: index.blocks.length, storedBytes };
    this.shelf_.add(known);
    this.showList_();
    return known;
  }

  close_() {
    this.fetching_.abort();
    this.opened_.close();
    const id = this.openEntry_?.id ?? "";
    const row = document.querySelector(`[data-id="${CSS.escape(id)}"] button`);
    if (row instanceof HTMLElement) row.focus();
    else byId("main", HTMLElement).focus();
  }

  /** @param {ShelfEntry} entry */
  share_(entry) {
    showShareDialog(entry.name, shareLink(location.origin, entry));
  }

  /** @param {ShelfEntry} entry */
  async forget_(entry) {
    if (!(await askToForget(entry.name))) return;
    this.shelf_.remove(entry.id);
    if (this.openEntry_?.id === entry.id) this.close_();
    this.showList_();
    announce(`The key of ${entry.name} is forgotten`);
    byId("main", HTMLElement).focus({ preventScroll: true });
  }

  /** Opens what the address names, and takes the key out of the address bar. */
  followLink_() {
    const link = parseShareLink(location.hash);
    if (link.kind === "none") return;
    history.replaceState(null, "", location.pathname);
    if (link.kind === "damaged") {
      const text =
        "A share link ends with the id of a block and a key, and here one of them is cut short.";
      const box = notice(
        { title: "This link is damaged", text, hint: "Ask for it again." },
        {
          actions: [{ label: "Dismiss", run: () => box.remove() }],
        },
      );
      byId("notices", HTMLElement).append(box);
      return;
    }
    const listed = this.shelf_.entries.find(
      ({ id, read }) => id === link.file.id && equalInConstantTime(read, link.file.read),
    );
    const unknown = { name: "", type: "", size: 0, blocks: 0, storedBytes: 0 };
    const entry = listed ?? { ...link.file, ...unknown, time: Date.now(), shared: true };
    void this.open_(entry, { stored: null, byLink: true });
  }
}

if (globalThis.isSecureContext && globalThis.crypto?.subtle) {
  new App().start();
} else {
  byId("hero", HTMLElement).append(insecureContextNotice());
  byId("files-section", HTMLElement).hidden = true;
  byId("node-state", HTMLElement).dataset.state = "up";
  byId("node-state-text", HTMLElement).textContent = "Node answers, over plain HTTP";
}
