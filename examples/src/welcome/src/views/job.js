// One file on its way to the node: a progress bar, what is going on, and a way to stop.

import { explain, explainWaiting } from "../explain.js";
import { formatBytes, formatCount } from "../format.js";
import { announce, byId, h } from "./dom.js";
import { notice } from "./notices.js";

export class JobView {
  /** @param {File} file @param {{ onCancel: () => void }} on */
  constructor(file, { onCancel }) {
    this.file_ = file;
    this.started_ = performance.now();
    this.status_ = h("p", { class: "job-status" }, "Waiting for its turn");
    this.bar_ = h("progress", { max: "1", value: "0", "aria-label": `Storing ${file.name}` });
    this.cancel_ = h(
      "button",
      { class: "button small", type: "button", onclick: onCancel },
      "Cancel",
    );
    this.element = h(
      "div",
      { class: "job" },
      h(
        "div",
        { class: "job-head" },
        h("strong", {}, h("bdi", {}, file.name)),
        h("span", { class: "muted" }, formatBytes(file.size)),
        this.cancel_,
      ),
      this.bar_,
      this.status_,
    );
  }

  begin() {
    this.started_ = performance.now();
    this.status_.textContent = "Sealing and storing";
    announce(`Sealing and storing ${this.file_.name}`);
  }

  /** @param {import("../transfer.js").Progress} progress */
  progress({ done, total, bytes }) {
    this.bar_.value = done / total;
    const seconds = (performance.now() - this.started_) / 1000;
    const pace = seconds > 0.5 ? `, ${formatBytes(Math.round(bytes / seconds))}/s` : "";
    this.status_.textContent = `${done} of ${formatCount(total, "block")} sealed and stored${pace}`;
    delete this.element.dataset.waiting;
  }

  /** @param {import("../node_client.js").Waiting} waiting */
  waiting(waiting) {
    this.element.dataset.waiting = "";
    this.status_.textContent = explainWaiting(waiting);
    announce(this.status_.textContent);
  }

  focus() {
    this.cancel_.focus();
  }

  remove() {
    this.element.remove();
  }

  /** @param {unknown} error @param {() => void} onRetry */
  fail(error, onRetry) {
    const explanation = explain(error);
    const dismiss = () => {
      box.remove();
      byId("main", HTMLElement).focus({ preventScroll: true });
    };
    const retry = () => {
      box.remove();
      onRetry();
    };
    const title = `${explanation.title}: ${this.file_.name} was not stored`;
    const box = notice(
      { ...explanation, title },
      {
        actions: [
          { label: "Try again", run: retry },
          { label: "Dismiss", run: dismiss },
        ],
      },
    );
    this.element.replaceWith(box);
  }
}
