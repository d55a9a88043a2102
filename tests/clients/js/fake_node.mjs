// A node in this process: the block and chain routes of docs/formats.md and the HTTP design, held
// to with the SDK's own ChainState. `mangle` makes it lie; `refuse` makes it busy or gone.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import { fromBase64Url, toBase64Url, toHex } from "../../../clients/js/dist/base/bytes.js";
import { advance, checkNext, stateOf } from "../../../clients/js/dist/formats/chain_state.js";
import { Link } from "../../../clients/js/dist/formats/link.js";
import { parseManifest } from "../../../clients/js/dist/formats/manifest.js";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const kNoBytes = Buffer.alloc(0);

/** What ends a request with a problem document. */
class Problem extends Error {
  constructor(status, type, more = {}, headers = {}) {
    super(type);
    Object.assign(this, { status, type, more, headers });
  }
}

/** One chain: its links by seq, and its state after the newest. */
class FakeChain {
  constructor(manifest) {
    this.manifest = manifest;
    this.state = stateOf(parseManifest(manifest), sha256(manifest));
    this.links = new Map();
    this.followers = new Set();
  }

  head() {
    const { chain, seq, head, epoch, firstKept, rotatedAt } = this.state;
    return { chain, seq, link: head, epoch, trimmed_before: firstKept, rotated_at: rotatedAt };
  }

  page(from, limit) {
    if (from < this.state.firstKept && from === this.state.rotatedAt) return [this.links.get(from)];
    const first = Math.max(from, this.state.firstKept);
    const page = [];
    for (let seq = first; page.length < limit && this.links.has(seq); seq++) {
      page.push(this.links.get(seq));
    }
    return page;
  }

  append(raws, isHeld) {
    let state = this.state;
    const fresh = [];
    for (const raw of raws) {
      try {
        const link = Link.parse(raw);
        const { seq } = link.fields;
        if (fresh.length === 0 && this.links.has(seq) && sha256(this.links.get(seq)) === link.id) {
          continue;
        }
        checkNext(state, link);
        state = advance(state, link);
        fresh.push(link);
      } catch (error) {
        if (error.code === "conflict" && fresh.length === 0) throw this.conflict(Link.parse(raw));
        throw new Problem(error.code === "denied" ? 403 : 422, error.code, {
          detail: error.message,
        });
      }
    }
    const missing = fresh.flatMap(({ refs }) => refs).filter((ref) => !isHeld(ref));
    if (missing.length > 0) throw new Problem(424, "refs-missing", { missing });
    for (const link of fresh) this.links.set(link.fields.seq, Buffer.from(link.raw));
    this.state = state;
    this.trim();
    for (const follower of this.followers) fresh.forEach(({ fields }) => follower(fields.seq));
  }

  conflict({ fields }) {
    const links = this.page(Math.max(fields.seq, 1), 256).map((raw) => toBase64Url(raw));
    return new Problem(409, "conflict", { head: this.head(), links });
  }

  trim() {
    const { firstKept, rotatedAt } = this.state;
    for (const seq of this.links.keys()) {
      if (seq < firstKept && seq !== rotatedAt) this.links.delete(seq);
    }
  }
}

export class FakeNode {
  blocks = new Map();
  chains = new Map();
  /**
   * Answers of these kinds go through these functions: head, links, block, manifest, fetch, event.
   */
  mangle = {};
  /** Called with (method, path); may return a Problem or throw "cut". */
  refuse = () => undefined;
  requests = [];
  blockLimit = 1024 * 1024;

  static async start() {
    const node = new FakeNode();
    node.server = createServer((request, response) => void node.#handle(request, response));
    await once(node.server.listen(0, "127.0.0.1"), "listening");
    node.url = `http://127.0.0.1:${node.server.address().port}`;
    return node;
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  static busy(status, headers = {}) {
    return new Problem(status, "overloaded", {}, headers);
  }

  count(pattern) {
    return this.requests.filter((line) => pattern.test(line)).length;
  }

  async #handle(request, response) {
    const url = new URL(request.url, this.url);
    this.requests.push(`${request.method} ${url.pathname}${url.search}`);
    try {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const problem = this.refuse(request.method, url.pathname);
      if (problem === "cut") return void request.socket.destroy();
      if (problem) throw problem;
      await this.#route(request, url, Buffer.concat(chunks), response);
    } catch (error) {
      if (request.destroyed && !request.complete) return; // The client has gone.
      if (!(error instanceof Problem)) throw error;
      const { status, type, more, headers } = error;
      const document = { type: `/problems/${type}`, title: type, status, hint: "a hint", ...more };
      response.writeHead(status, { "Content-Type": "application/problem+json", ...headers });
      response.end(JSON.stringify(document));
    }
  }

  #through(kind, value, ...context) {
    return this.mangle[kind] ? this.mangle[kind](value, ...context) : value;
  }

  async #route(request, url, body, response) {
    const [, version, kind, id, part] = url.pathname.split("/");
    if (version !== "v1") throw new Problem(404, "no-such-route");
    if (kind === "blocks") return this.#blocks(request.method, id, body, response);
    if (kind === "chains") return this.#chains(request, url, id, part, body, response);
    throw new Problem(404, "no-such-route");
  }

  #blocks(method, id, body, response) {
    const json = (status, value) =>
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
    if (id === "missing") {
      return json(
        200,
        this.#through("missing", {
          missing: JSON.parse(body).ids.filter((one) => !this.blocks.has(one)),
        }),
      );
    }
    if (id === "fetch") {
      const frames = JSON.parse(body).ids.flatMap((one) => {
        const bytes = this.blocks.get(one);
        return [Buffer.from(one, "hex"), u32(bytes ? bytes.length : 0xffffffff), bytes ?? kNoBytes];
      });
      return response.end(this.#through("fetch", Buffer.concat(frames)));
    }
    if (id === "batch") {
      const results = framesOf(body).map((bytes) => ({
        ...this.#store(bytes, sha256(bytes)),
        size: bytes.length,
      }));
      return json(200, this.#through("batch", { results }));
    }
    if (method === "PUT") {
      if (body.length > this.blockLimit) throw new Problem(413, "too-large");
      if (sha256(body) !== id) throw new Problem(422, "hash-mismatch");
      const { status } = this.#store(body, id);
      return json(status, { id, size: body.length });
    }
    const bytes = this.#through("block", this.blocks.get(id), id);
    if (!bytes) throw new Problem(404, "not-held");
    response.writeHead(200, { "Content-Length": bytes.length, "Cairn-Source": "memory" });
    return response.end(method === "HEAD" ? undefined : bytes);
  }

  #store(bytes, id) {
    const status = this.blocks.has(id) ? 200 : 201;
    this.blocks.set(id, Buffer.from(bytes));
    return { id, status };
  }

  #chains(request, url, id, part, body, response) {
    const json = (status, value) =>
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
    if (request.method === "PUT") {
      if (sha256(body) !== id) throw new Problem(422, "hash-mismatch");
      const held = this.chains.has(id);
      if (!held) this.chains.set(id, new FakeChain(Buffer.from(body)));
      return json(held ? 200 : 201, this.chains.get(id).head());
    }
    const chain = this.chains.get(id);
    if (!chain) throw new Problem(404, "no-such-chain");
    if (request.method === "POST") {
      chain.append(framesOf(body), (ref) => this.blocks.has(ref));
      const { seq, link, epoch } = chain.head();
      return json(201, this.#through("receipt", { chain: id, seq, link, epoch, time: 0 }));
    }
    this.#gate(request, chain);
    if (part === undefined) return json(200, this.#through("head", chain.head(), request));
    if (part === "manifest") return response.end(this.#through("manifest", chain.manifest));
    if (part === "links") {
      const [from, limit] = ["from", "limit"].map((name) => Number(url.searchParams.get(name)));
      const page = this.#through("links", chain.page(from, limit), from, request);
      return response.end(Buffer.concat(page.flatMap((raw) => [u32(raw.length), raw])));
    }
    if (part === "events") return this.#events(request, chain, response);
    throw new Problem(404, "no-such-route");
  }

  #gate(request, { state }) {
    if (!state.gated) return;
    const token = /^Cairn-Fetch (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (!token || sha256(fromBase64Url(token)) !== toHex(state.access.fetchTokenHash)) {
      throw new Problem(401, "fetch-token-needed");
    }
  }

  #events(request, chain, response) {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(": hello\n\n");
    const send = (seq) => {
      const raw = chain.links.get(seq);
      const text = raw
        ? `id: ${seq}\nevent: link\ndata: ${toBase64Url(raw)}\n\n`
        : "event: resync\ndata:\n\n";
      response.write(this.#through("event", text, seq));
    };
    for (
      let seq = Number(request.headers["last-event-id"] ?? 0) + 1;
      seq <= chain.state.seq;
      seq++
    ) {
      send(seq);
    }
    chain.followers.add(send);
    response.on("close", () => chain.followers.delete(send));
  }
}

function u32(value) {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

function framesOf(body) {
  const frames = [];
  for (let at = 0; at < body.length; at += 4 + frames.at(-1).length) {
    frames.push(body.subarray(at + 4, at + 4 + body.readUInt32LE(at)));
  }
  return frames;
}
