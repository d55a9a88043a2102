// Boxes that say what went wrong and what can be done about it.

import { h } from "./dom.js";

/**
 * @param {import("../explain.js").Explanation} explanation
 * @param {{ kind?: "error" | "warn" | "info", actions?: { label: string, run: () => void }[] }}
 *   [options]
 * @returns {HTMLElement}
 */
export function notice({ title, text, hint, evidence }, { kind = "error", actions = [] } = {}) {
  const buttons = actions.map(({ label, run }) =>
    h("button", { class: "button small", type: "button", onclick: run }, label),
  );
  return h(
    "div",
    { class: "notice", "data-kind": kind, role: kind === "error" ? "alert" : "status" },
    h("h3", {}, title),
    h("p", {}, text),
    evidence
      ? h("pre", { class: "evidence", tabindex: "0", "aria-label": "Evidence" }, evidence)
      : null,
    hint ? h("p", { class: "hint" }, hint) : null,
    buttons.length > 0 && h("div", { class: "row" }, ...buttons),
  );
}

/** @returns {HTMLElement} for browsers that withhold WebCrypto from this page */
export function insecureContextNotice() {
  const port = location.port || "80";
  return h(
    "div",
    { class: "notice", "data-kind": "warn", role: "alert" },
    h("h3", {}, "Open this page over HTTPS or from localhost"),
    h(
      "p",
      {},
      "This page came over plain HTTP from ",
      h("code", {}, location.host),
      ". Anyone on the way could have changed it, so browsers give such pages no cryptography, " +
        "and without it nothing can be sealed. The node itself is fine.",
    ),
    h(
      "ul",
      {},
      h(
        "li",
        {},
        "To try it now, forward the port and open ",
        h("code", {}, `http://localhost:${port}`),
        ": ",
        h("code", {}, `ssh -L ${port}:127.0.0.1:${port} ${location.hostname}`),
      ),
      h(
        "li",
        {},
        "To serve others, put a proxy that speaks TLS, such as Caddy or nginx, in front of the node.",
      ),
    ),
  );
}
