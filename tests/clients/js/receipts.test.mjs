// Receipts: what a real node signs is verified, and a node that takes back what it acknowledged is
// contradicted by its own signature.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { fromHex, toBase64Url } from "../../../clients/js/dist/base/bytes.js";
import { Link } from "../../../clients/js/dist/formats/link.js";
import { Cairn, signerOf } from "../../../clients/js/dist/index.js";
import { Receipts } from "../../../clients/js/dist/receipts.js";
import { kBin, startNode } from "./real_node.mjs";
import { utf8 } from "./support.mjs";

test("Receipts.OfARealNodeAreVerified", { skip: !kBin }, async (t) => {
  const url = await startNode(t);
  const { key } = await (await fetch(`${url}/v1/node`)).json();
  const kept = [];
  const { chains } = new Cairn({ url, onReceipt: (receipt) => kept.push(receipt) });
  const { chain } = await chains.create();
  for (const word of ["one", "two"]) await chain.append(utf8(word));
  assert.deepEqual(
    kept.map(({ seq }) => seq),
    [1, 2],
  );
  const receipts = new Receipts(key);
  for (const receipt of kept) assert.equal(await receipts.verify(receipt), true);
  assert.equal(await receipts.verify({ ...kept[0], seq: 2 }), false);
  assert.equal(await receipts.verify({ ...kept[0], signature: "AAAA" }), false);
  const stranger = new Receipts(toBase64Url(signerOf(new Uint8Array(32)).publicKey));
  assert.equal(await stranger.verify(kept[0]), false);
});

test("Receipts.ANodeThatTakesBackWhatItAcknowledgedIsContradicted", async () => {
  const file = new URL("../../vectors/chain.json", import.meta.url);
  const { links, payloads_refused: others } = JSON.parse(readFileSync(file, "utf8"));
  const other = fromHex(others.find(({ name }) => name === "tag changed, signed anew").link);
  const { fields } = Link.parse(other);
  const acknowledged = Link.parse(fromHex(links[fields.seq - 1].link));
  const node = signerOf(new Uint8Array(32).fill(7));
  const receipt = { chain: fields.chain, seq: fields.seq, link: acknowledged.id, epoch: 0, time: 5 };
  const numbers = (seq) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(seq), true);
    return new Uint8Array(view.buffer);
  };
  const message = Buffer.concat([
    utf8("cairn-receipt-1"),
    fromHex(receipt.chain),
    numbers(receipt.seq),
    fromHex(receipt.link),
    new Uint8Array(4),
    numbers(receipt.time),
  ]);
  receipt.signature = toBase64Url(node.sign(new Uint8Array(message)));
  const receipts = new Receipts(toBase64Url(node.publicKey));
  assert.deepEqual(await receipts.contradicted(receipt, other), { receipt, link: other });
  assert.equal(await receipts.contradicted(receipt, acknowledged.raw), undefined, "the same link");
  const elsewhere = fromHex(links[fields.seq].link);
  assert.equal(await receipts.contradicted(receipt, elsewhere), undefined, "another place");
  const unsigned = { ...receipt, time: 6 };
  assert.equal(await receipts.contradicted(unsigned, other), undefined, "not signed");
});

test("Receipts.ATextThatIsNoKeyIsRefused", () => {
  for (const text of ["", "AAAA", "not base64url!"]) assert.throws(() => new Receipts(text), TypeError);
});
