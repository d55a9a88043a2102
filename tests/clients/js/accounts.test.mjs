// Accounts: the formats against the golden vectors, the client against the real node (CAIRN_BIN), and
// against a node that lies: a proxy in front of the real one.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, request as ask } from "node:http";
import test from "node:test";

import { secretOfPassword } from "../../../clients/js/dist/accounts/secrets.js";
import { Accounts } from "../../../clients/js/dist/accounts.js";
import { fromBase64Url, fromHex, toBase64Url, toHex } from "../../../clients/js/dist/base/bytes.js";
import {
  accountKeysOf,
  formatKit,
  isHandle,
  loginMessage,
  parseAccount,
  parseKit,
  slotKeysOf,
} from "../../../clients/js/dist/formats/account.js";
import { PublicKey, signerOf } from "../../../clients/js/dist/formats/ed25519.js";
import { openBlock } from "../../../clients/js/dist/formats/seal.js";
import { MemoryStore } from "../../../clients/js/dist/index.js";
import { kBin, startNode } from "./real_node.mjs";
import { failureOf, payloadsOf, text, utf8 } from "./support.mjs";

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/account.json", import.meta.url), "utf8"),
);
const skip = kBin ? false : "CAIRN_BIN is not set";
/** The least that is allowed: tests derive many keys. */
const cost = { memoryKib: 19_456, passes: 2 };
const kNoLimit = [
  "limits.account_calls_per_client=0",
  "limits.account_calls_per_handle=0",
];

test("Vectors.AccountHandlesKeysAndSlots", () => {
  for (const { name, utf8: bytes, valid } of vectors.handles) {
    assert.equal(isHandle(text(fromHex(bytes))), valid, name);
  }
  for (const vector of vectors.keys) {
    const keys = accountKeysOf(fromHex(vector.account_secret));
    assert.equal(toHex(keys.loginSeed), vector.login_seed);
    assert.equal(toHex(signerOf(keys.loginSeed).publicKey), vector.login_key);
    assert.equal(toHex(keys.homeSecret), vector.home_write_secret);
    assert.equal(toHex(keys.homeSalt), vector.home_salt);
  }
  for (const vector of vectors.slots) {
    const { slotSeed, wrapKey } = slotKeysOf(fromHex(vector.slot_secret));
    assert.equal(toHex(slotSeed), vector.slot_seed);
    assert.equal(toHex(signerOf(slotSeed).publicKey), vector.slot_key);
    assert.equal(toHex(wrapKey), vector.wrap_key);
    assert.equal(toHex(openBlock(fromHex(vector.wrapped), wrapKey)), vector.account_secret);
  }
});

test("Vectors.AccountPasswords", async () => {
  for (const { typed, memory_kib: memoryKib, passes, salt, slot_secret: expected } of
    vectors.passwords) {
    const kdf = { memoryKib, passes, salt: fromHex(salt) };
    assert.equal(toHex(await secretOfPassword(text(fromHex(typed)), kdf)), expected);
  }
});

test("Vectors.AccountRecordsLoginsAndKits", () => {
  for (const { name, record, handle, version } of vectors.records) {
    const { version: read, handle: of } = parseAccount(fromHex(record));
    assert.ok(of === handle && (read === Number(version) || read > 2 ** 53), name);
  }
  for (const { name, record } of vectors.refused) {
    assert.throws(() => parseAccount(fromHex(record)), { code: "malformed" }, name);
  }
  for (const { name, seed, key, signature, message, ...login } of vectors.logins) {
    const { handle, host, nonce, action } = login;
    const signed = loginMessage(handle, host, nonce, action);
    assert.equal(toHex(signed), message, name);
    assert.equal(toHex(signerOf(fromHex(seed)).sign(signed)), signature, name);
    assert.ok(PublicKey.of(fromHex(key)).verifies(signed, fromHex(signature)), name);
  }
  for (const { slot_secret: secret, text: kit } of vectors.kits) {
    assert.equal(formatKit(fromHex(secret)), kit);
    assert.equal(toHex(parseKit(kit)), secret);
  }
  for (const { name, text: kit } of vectors.refused_kits) {
    assert.throws(() => parseKit(kit), { code: "malformed" }, name);
  }
});

/** A proxy that may change what comes back: `mangle[kind](value)` for challenge and login. */
async function liar(t, url) {
  const mangle = {};
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const { method, headers, url: path } = request;
    const onward = ask(new URL(path, url), { method, headers });
    onward.end(Buffer.concat(parts));
    const [answer] = await once(onward, "response");
    const body = [];
    for await (const part of answer) body.push(part);
    let bytes = Buffer.concat(body);
    const kind = /\/(challenge|login)$/.exec(path)?.[1];
    if (answer.statusCode === 200 && mangle[kind]) {
      bytes = Buffer.from(JSON.stringify(mangle[kind](JSON.parse(bytes))));
    }
    const kept = { ...answer.headers, "content-length": bytes.length };
    response.writeHead(answer.statusCode, kept).end(bytes);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, mangle };
}

test("Accounts.SignUpLogInAndTheHomeChain", { skip }, async (t) => {
  const url = await startNode(t, ...kNoLimit, "site.write=accounts");
  const accounts = new Accounts({ url, cost });
  const ada = { handle: "ada@example.org", password: "correct horse" };
  const { account } = await accounts.signUp(ada);
  const home = await account.home();
  await home.append(utf8("a note"));

  const elsewhere = await new Accounts({ url, cost }).logIn(ada);
  const same = await elsewhere.home();
  assert.equal(same.id, home.id);
  assert.deepEqual(await payloadsOf(same), ["a note"]);
  await same.append(utf8("another"));
  assert.deepEqual(await payloadsOf(home), ["a note", "another"]);
  const id = await elsewhere.cairn.blocks.put(utf8("block"));
  assert.equal(text((await elsewhere.cairn.blocks.get(id)).bytes), "block");

  const taken = await failureOf(accounts.signUp({ ...ada, password: "another" }));
  assert.deepEqual([taken.code, taken.problem.type], ["conflict", "/problems/handle-taken"]);
  for (const wrong of [{ ...ada, password: "wrong" }, { ...ada, handle: "nobody" }]) {
    const error = await failureOf(accounts.logIn(wrong));
    assert.deepEqual([error.code, error.problem.type], ["denied", "/problems/login-refused"]);
  }
  elsewhere.logOut();
  assert.equal(
    (await failureOf(elsewhere.cairn.blocks.put(utf8("later")))).problem.type,
    "/problems/login-needed",
  );
});

test("Accounts.ChangeOfPasswordRecoveryAndDevices", { skip }, async (t) => {
  const url = await startNode(t, ...kNoLimit);
  const accounts = new Accounts({ url, cost });
  const handle = "ada";
  const { account, recoveryKit } = await accounts.signUp({ handle, password: "first" });
  const { id } = await account.home();
  await account.changePassword("second");
  assert.ok(await account.token(), "the session goes on");
  assert.equal((await failureOf(accounts.logIn({ handle, password: "first" }))).code, "denied");

  const saved = await account.saved();
  const device = await new Accounts({ url, cost }).resume(saved);
  assert.deepEqual(
    device.slots().map(({ kind, current }) => [kind, current]),
    [["password", false], ["recovery", false], ["device", true]],
  );
  // The first session does not know of the device's change yet, and makes its own all the same.
  await device.newRecoveryKit();
  await account.removeSlot(device.slots().find(({ current }) => current).key);
  assert.equal((await failureOf(accounts.resume(saved))).code, "denied");

  const old = await failureOf(
    accounts.recover({ handle, recoveryKit, newPassword: "third" }),
  );
  assert.equal(old.code, "denied", "a newer kit has taken its place");
  const kit = await account.newRecoveryKit();
  const recovered = await accounts.recover({ handle, recoveryKit: kit, newPassword: "third" });
  assert.equal((await recovered.home()).id, id, "the account's secret is the same");
  assert.ok(await accounts.logIn({ handle, password: "third" }));

  await recovered.delete();
  assert.equal((await failureOf(accounts.logIn({ handle, password: "third" }))).code, "denied");
  const { account: next } = await accounts.signUp({ handle, password: "mine now" });
  assert.notEqual((await next.home()).id, id);
});

test("Accounts.PolicyOfTheSite", { skip }, async (t) => {
  const url = await startNode(t, ...kNoLimit, "site.signup=closed");
  const error = await failureOf(
    new Accounts({ url, cost }).signUp({ handle: "ada", password: "x" }),
  );
  assert.deepEqual([error.code, error.problem.type], ["denied", "/problems/account-denied"]);
  assert.throws(() => new Accounts({ url, cost: { memoryKib: 8192, passes: 2 } }), RangeError);
});

test("Liar.WeakDerivationsAreRefusedBeforeThePasswordIsUsed", { skip }, async (t) => {
  const node = await liar(t, await startNode(t, ...kNoLimit));
  const accounts = new Accounts({ url: node.url, cost });
  await accounts.signUp({ handle: "ada", password: "secret" });
  let logins = 0;
  node.mangle.login = (value) => (logins++, value);
  for (const change of [
    { memory_kib: 8192 },
    { passes: 1 },
    { memory_kib: 2_000_000 },
    { passes: 1_000 },
    { lanes: 4 },
    { algorithm: "pbkdf2" },
    { algorithm: undefined },
  ]) {
    node.mangle.challenge = (value) => ({ ...value, kdf: { ...value.kdf, ...change } });
    const error = await failureOf(accounts.logIn({ handle: "ada", password: "secret" }));
    assert.equal(error.code, "weak-kdf", JSON.stringify(change));
    assert.equal(error.evidence.handle, "ada");
  }
  assert.equal(logins, 0);
});

test("Liar.RecordsThatTheOwnerHasNotSignedLastAreRefused", { skip }, async (t) => {
  const node = await liar(t, await startNode(t, ...kNoLimit));
  const records = new MemoryStore();
  const accounts = new Accounts({ url: node.url, cost, records });
  const ada = { handle: "ada", password: "secret" };
  const { account } = await accounts.signUp(ada);
  let seen;
  node.mangle.login = (value) => ((seen = value.record), value);
  await accounts.logIn(ada);
  const first = seen;
  await account.newRecoveryKit();
  const mallory = { handle: "mallory", password: "secret" };
  await new Accounts({ url: node.url, cost }).signUp(mallory);
  await new Accounts({ url: node.url, cost }).logIn(mallory);
  const others = seen;

  const given = async (change, client = accounts) => {
    node.mangle.login = (value) => ({ ...value, record: change(value.record) });
    const error = await failureOf(client.logIn(ada));
    return [error.code, error.evidence?.reason];
  };
  const flipped = (at) => (record) => {
    const bytes = fromBase64Url(record);
    bytes[at < 0 ? bytes.length + at : at] ^= 1;
    return toBase64Url(bytes);
  };
  const fresh = () => new Accounts({ url: node.url, cost });
  assert.deepEqual(await given(() => first), ["wrong-account", "older than one seen before"]);
  assert.deepEqual(await given(() => others), ["wrong-account", "it is of another handle"]);
  // A version, a slot's key, kdf parameters, a wrapped secret, the signature.
  for (const at of [4, 50, 52 + 33 + 1, 52 + 100, -1]) {
    const [code] = await given(flipped(at), fresh());
    assert.equal(code, "wrong-account", `byte ${at}`);
  }
  assert.deepEqual((await given(() => "AAAA", fresh()))[0], "wrong-account");
  assert.deepEqual((await given(() => undefined, fresh()))[0], "bad-answer");
  node.mangle.login = ({ record }) => ({ record });
  assert.equal((await failureOf(fresh().logIn(ada))).code, "bad-answer");
  delete node.mangle.login;
  assert.ok(await fresh().logIn(ada));
});

test("Liar.AnotherSaltThanTheRecordsIsRefused", { skip }, async (t) => {
  const node = await liar(t, await startNode(t, ...kNoLimit));
  const accounts = new Accounts({ url: node.url, cost });
  const { account } = await accounts.signUp({ handle: "ada", password: "secret" });
  const saved = await account.saved();
  // Who resumes has no password, and so nothing to lose: the derivation is not looked at.
  const other = toBase64Url(new Uint8Array(16));
  node.mangle.challenge = (value) => ({ ...value, kdf: { ...value.kdf, salt: other } });
  assert.ok(await accounts.resume(saved));
  assert.equal(
    (await failureOf(accounts.logIn({ handle: "ada", password: "secret" }))).code,
    "denied",
  );
});
