// The welcome site as a visitor meets it: headless Chromium against a real node.
// Run: CAIRN_BIN=build/dev/cairn tests/e2e/welcome/run

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { brotliDecompressSync } from "node:zlib";

import { kPlainHost, openPage, screenshotPath, startBrowser, startNode } from "./world.mjs";

const kAxeSource = await readFile(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);
const kLine = "The mountain keeps what it is given, and reads none of it. ";
/** Longer than two blocks, and easy to find in anything that holds it in the clear. */
const kLetter = Buffer.from(kLine.repeat(45_000));
const kName = "letter to nobody.txt";

let node;
let browser;
before(async () => {
  node = await startNode();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await node?.stop();
});

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const rows = (page) => page.locator("#files > li");
const opened = (page) => page.locator("#opened[data-state=open]");
const alertBox = (page) => page.getByRole("alert");

/** Chooses a file as a click on the button would. */
async function choose(page, name, bytes, type = "text/plain") {
  await page.locator("#pick").setInputFiles({ name, mimeType: type, buffer: bytes });
}

/** Drops a file onto the page, as a file manager would. */
async function drop(page, name, bytes) {
  const transfer = await page.evaluateHandle(
    ([fileName, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], fileName, { type: "text/plain" }));
      return transfer;
    },
    [name, bytes.toString("base64")],
  );
  await page.dispatchEvent("#drop", "dragenter", { dataTransfer: transfer });
  await page.locator("#drop[data-over]").waitFor();
  await page.dispatchEvent("#drop", "drop", { dataTransfer: transfer });
}

/** What "Download" gives. */
async function downloaded(page) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download" }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/** The ids that the page shows for the opened file, the index first. */
function shownIds(page) {
  return page.locator("[data-block]").evaluateAll((cells) => cells.map((c) => c.dataset.block));
}

/** Serious and critical findings of axe-core on the page as it is now. */
async function axeFindings(page) {
  await page.evaluate(kAxeSource);
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document);
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  });
}

/** One GET as a browser sends it, its body as it came. */
function get(path) {
  return new Promise((resolve, reject) => {
    const headers = { "Accept-Encoding": "gzip, deflate, br" };
    const request = http.get(node.origin + path, { headers, agent: false }, async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      resolve({ headers: answer.headers, body: Buffer.concat(parts) });
    });
    request.on("error", reject);
  });
}

test("Site.PageIsServedUnderAStrictPolicyAndAssetsForGood", async () => {
  const answer = await get("/");
  const policy = answer.headers["content-security-policy"] ?? "";
  assert.match(policy, /default-src 'self'/);
  assert.doesNotMatch(policy, /unsafe-|https?:/);
  const script = /src="(\/assets\/app-[0-9a-f]+\.js)"/.exec(brotliDecompressSync(answer.body))?.[1];
  assert.ok(script);
  const asset = await get(script);
  assert.match(asset.headers["cache-control"] ?? "", /immutable/);
  assert.equal(asset.headers["content-encoding"], "br");
  assert.ok(brotliDecompressSync(asset.body).length > asset.body.length);
});

test("Drop.FileIsSealedStoredListedAndComesBackTheSame", async () => {
  const { page, requests, close } = await openPage(browser, node.origin);
  await drop(page, kName, kLetter);
  await opened(page).waitFor();
  assert.deepEqual(await rows(page).locator(".file-name").allTextContents(), [kName]);
  const back = await downloaded(page);
  assert.equal(back.name, kName);
  assert.ok(back.bytes.equals(kLetter));

  const ids = await shownIds(page);
  assert.equal(ids.length, 1 + 3);
  for (const id of ids) {
    const answer = await fetch(`${node.origin}/v1/blocks/${id}`);
    assert.equal(answer.status, 200);
    const raw = Buffer.from(await answer.arrayBuffer());
    assert.equal(sha256(raw), id);
    assert.equal(raw.subarray(0, 2).toString(), "B1");
    for (const secret of [kLine.slice(0, 12), "letter", "text/plain", ids[1], "cairn-welcome"]) {
      assert.equal(raw.indexOf(secret), -1, `block ${id} shows "${secret}"`);
    }
  }
  const sent = requests.filter((request) => request.method() !== "GET");
  const read = await readSecret(page);
  for (const request of sent) {
    const body = request.postDataBuffer() ?? Buffer.alloc(0);
    assert.equal(body.indexOf(kLine.slice(0, 12)), -1);
    assert.equal(body.indexOf(read), -1);
  }
  assert.equal(sent.filter((request) => request.method() === "PUT").length, ids.length);
  await close();
});

/** The first listed file's read secret, as the page keeps it. */
function readSecret(page) {
  return page.evaluate(() => JSON.parse(localStorage.getItem("cairn.welcome.files.1"))[0].read);
}

test("Reload.ListedFileIsFetchedBackFromTheNode", async () => {
  const { page, requests, close } = await openPage(browser, node.origin);
  await choose(page, kName, kLetter);
  await opened(page).waitFor();
  await page.reload();
  await page.locator("#node-state[data-state=up]").waitFor();
  assert.equal(await rows(page).count(), 1);
  const before = requests.length;
  await page.getByRole("button", { name: `Fetch and open: ${kName}` }).click();
  await opened(page).waitFor();
  assert.ok((await downloaded(page)).bytes.equals(kLetter));
  const gets = requests.slice(before).filter((r) => r.url().includes("/v1/blocks/"));
  assert.equal(gets.length, 4, "every block is asked from the node, none from the browser's cache");
  const sources = await page.locator("[data-source]").allTextContents();
  assert.equal(sources.length, 4);
  for (const source of sources) assert.match(source, /^(memory|disk|storage|peer)$/);
  await close();
});

test("Reload.FileThatTheNodeLostIsMarkedInTheList", async () => {
  const { page, close } = await openPage(browser, node.origin);
  await choose(page, kName, Buffer.from(kLine));
  await opened(page).waitFor();
  await page.route("**/v1/blocks/missing", async (route) => {
    const { ids } = route.request().postDataJSON();
    await route.fulfill({ json: { missing: ids } });
  });
  await page.reload();
  await rows(page).getByText("This node no longer holds it.").waitFor();
  await close();
});

test("Open.TextAndPictureArePreviewedNextToTheirNoise", async () => {
  const { page, close } = await openPage(browser, node.origin);
  await choose(page, kName, Buffer.from(kLine));
  await opened(page).waitFor();
  assert.equal(await page.locator(".preview-text").textContent(), kLine);
  await page.getByRole("button", { name: "Use a sample picture" }).click();
  await page.getByRole("img", { name: "cairn-at-dusk.bmp" }).waitFor();
  const bits = await page.locator(".entropy meter").evaluateAll((all) => all.map((m) => m.value));
  assert.ok(bits[0] < 7.5 && bits[1] > 7.95, `${bits}`);
  const sky = await page.locator("canvas.preview-image").evaluate((canvas) => {
    return [...canvas.getContext("2d").getImageData(5, 5, 1, 1).data];
  });
  assert.ok(sky[2] > sky[0], `the evening sky is blue at the top, not ${sky}`);
  await close();
});

test("Open.MarkupInAFileOrItsNameStaysText", async () => {
  const { page, close } = await openPage(browser, node.origin);
  const markup = '<img src=x onerror="window.ran = 1"><script>window.ran = 1</script>';
  await choose(page, "<b>bold<b>.html", Buffer.from(markup), "text/html");
  await opened(page).waitFor();
  assert.equal(await page.locator(".preview-text").textContent(), markup);
  assert.equal(await page.locator("#opened-title bdi").textContent(), "<b>bold<b>.html");
  assert.equal(await page.locator("#opened b, #files b").count(), 0);
  assert.equal(await page.evaluate(() => window.ran), undefined);
  await close();
});

test("Open.EmptyFileIsAnIndexAlone", async () => {
  const { page, close } = await openPage(browser, node.origin);
  await choose(page, "empty", Buffer.alloc(0), "");
  await opened(page).waitFor();
  assert.equal((await shownIds(page)).length, 1);
  assert.equal((await downloaded(page)).bytes.length, 0);
  await close();
});

test("Open.TamperedBlockIsRefusedWithTheEvidence", async () => {
  const { page, close, expect } = await openPage(browser, node.origin);
  await choose(page, kName, kLetter);
  await opened(page).waitFor();
  const ids = await shownIds(page);
  let served;
  await page.route(`**/v1/blocks/${ids[2]}`, async (route) => {
    const answer = await route.fetch();
    served = Buffer.from(await answer.body());
    served[served.length >> 1] ^= 1;
    await route.fulfill({ response: answer, body: served });
  });
  await page.getByRole("button", { name: `Fetch and open: ${kName}` }).click();
  await alertBox(page).waitFor();
  const text = await alertBox(page).textContent();
  assert.match(text, /Tampered block refused/);
  assert.ok(text.includes(ids[2]) && text.includes(sha256(served)), text);
  assert.equal(await page.getByRole("link", { name: "Download" }).count(), 0);
  await page.screenshot({ path: screenshotPath("tampered"), fullPage: true });
  assert.deepEqual(await axeFindings(page), []);

  await page.unroute(`**/v1/blocks/${ids[2]}`);
  await page.getByRole("button", { name: "Try again" }).click();
  await opened(page).waitFor();
  assert.ok((await downloaded(page)).bytes.equals(kLetter));
  await close();
});

test("Share.LinkOpensInAnotherProfileAndTheNodeNeverSeesTheKey", async () => {
  const mine = await openPage(browser, node.origin);
  await choose(mine.page, kName, kLetter);
  await opened(mine.page).waitFor();
  await mine.page.getByRole("button", { name: `Share: ${kName}` }).click();
  const link = new URL(await mine.page.getByLabel("Link", { exact: true }).inputValue());
  assert.deepEqual(await axeFindings(mine.page), []);
  await mine.page.screenshot({ path: screenshotPath("share") });
  const read = await readSecret(mine.page);
  await mine.close();

  const theirs = await openPage(browser, node.origin, link.pathname + link.hash);
  await opened(theirs.page).waitFor();
  assert.ok((await downloaded(theirs.page)).bytes.equals(kLetter));
  assert.equal(new URL(theirs.page.url()).hash, "", "the key is out of the address bar");
  assert.deepEqual(await theirs.page.locator(".file-name").allTextContents(), [kName]);
  for (const request of theirs.requests) {
    const all = [
      request.url(),
      JSON.stringify(await request.allHeaders()),
      request.postData() ?? "",
    ];
    assert.ok(!all.join("\n").includes(read), `${request.url()} carries the key`);
  }
  await theirs.close();
});

test("Share.WrongKeyOrCutLinkIsExplained", async () => {
  const { page, close, expect } = await openPage(browser, node.origin);
  await choose(page, kName, Buffer.from(kLine));
  await opened(page).waitFor();
  const [id] = await shownIds(page);
  await page.evaluate((hash) => (location.hash = hash), `#file=${id}&read=${"A".repeat(43)}`);
  await alertBox(page).filter({ hasText: "This key does not open the block" }).waitFor();
  await page.evaluate((hash) => (location.hash = hash), `#file=${id}&read=AAAA`);
  await alertBox(page).filter({ hasText: "This link is damaged" }).waitFor();
  expect(/404/);
  await page.evaluate(
    (hash) => (location.hash = hash),
    `#file=${"0".repeat(64)}&read=${"A".repeat(43)}`,
  );
  await alertBox(page).filter({ hasText: "does not hold this block" }).waitFor();
  assert.equal(await rows(page).count(), 1, "nothing that did not open is listed");
  await close();
});

test("Forget.KeyIsGoneOnlyAfterYes", async () => {
  const { page, close } = await openPage(browser, node.origin);
  await choose(page, kName, Buffer.from(kLine));
  await opened(page).waitFor();
  const read = await readSecret(page);
  const forget = page.getByRole("button", { name: `Forget: ${kName}` });
  await forget.click();
  await page.getByRole("button", { name: "Keep it" }).click();
  assert.equal(await rows(page).count(), 1);
  await forget.click();
  await page.keyboard.press("Escape");
  assert.equal(await rows(page).count(), 1);
  await forget.click();
  await page.getByRole("button", { name: "Forget the key" }).click();
  await page.locator("#files-empty").waitFor();
  assert.equal(await page.locator("#opened").isVisible(), false);
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  assert.ok(!kept.includes(read));
  await close();
});

/** Answers PUTs of blocks as a node in that state would. */
function refusePuts(page, status, fields, headers = {}) {
  return page.route("**/v1/blocks/*", (route) =>
    route.request().method() === "PUT"
      ? route.fulfill({
          status,
          contentType: "application/problem+json",
          headers,
          body: JSON.stringify(fields),
        })
      : route.fallback(),
  );
}

test("Store.RefusalsSayWhatToDo", async () => {
  const cases = [
    [403, { title: "Denied" }, "does not take blocks from everyone"],
    [507, { detail: "The disk reserve is reached." }, "disk is full"],
    [503, { title: "Overloaded" }, "too busy", { "Retry-After": "120" }],
    [422, { title: "Hash mismatch" }, "The node refused"],
  ];
  for (const [status, fields, words, headers] of cases) {
    const { page, close, expect } = await openPage(browser, node.origin);
    expect(new RegExp(`status of ${status}`));
    await refusePuts(page, status, fields, headers);
    await choose(page, kName, Buffer.from(kLine));
    await alertBox(page).filter({ hasText: words }).waitFor();
    assert.deepEqual(await axeFindings(page), []);
    assert.equal(await rows(page).count(), 0);
    await page.unroute("**/v1/blocks/*");
    await page.getByRole("button", { name: "Try again" }).click();
    await opened(page).waitFor();
    assert.equal(await alertBox(page).count(), 0);
    await close();
  }
});

test("Store.BusyNodeIsWaitedForAndSaidSo", async () => {
  const { page, close, expect } = await openPage(browser, node.origin);
  expect(/status of (429|503)/);
  let refusals = 0;
  await page.route("**/v1/blocks/*", (route) => {
    if (route.request().method() !== "PUT" || refusals >= 2) return route.fallback();
    refusals++;
    return route.fulfill({ status: refusals === 1 ? 429 : 503, headers: { "Retry-After": "1" } });
  });
  await choose(page, kName, Buffer.from(kLine));
  await page.getByText("asks for a slower pace (429)").first().waitFor();
  await opened(page).waitFor();
  assert.equal(refusals, 2);
  await close();
});

test("Store.SmallerBlockLimitOfTheNodeIsMet", async (context) => {
  const small = await startNode({ blockBytes: "256KiB" });
  context.after(small.stop);
  const { page, close, expect } = await openPage(browser, small.origin);
  expect(/status of 413/);
  await choose(page, kName, kLetter);
  await opened(page).waitFor();
  assert.ok((await downloaded(page)).bytes.equals(kLetter));
  assert.equal((await shownIds(page)).length, 1 + 11);
  await close();
});

test("Store.SiteThatTakesNoBlocksSaysWhoCanChangeThat", async (context) => {
  const closed = await startNode({ write: "nobody" });
  context.after(closed.stop);
  const { page, close, expect } = await openPage(browser, closed.origin);
  expect(/status of 403/);
  await choose(page, kName, Buffer.from(kLine));
  await alertBox(page).filter({ hasText: "does not take blocks from everyone" }).waitFor();
  assert.equal(await rows(page).count(), 0);
  await close();
});

test("Store.UnreachableNodeIsSaidSo", async () => {
  const { page, close, expect } = await openPage(browser, node.origin);
  expect(/ERR_CONNECTION_REFUSED/);
  await page.route("**/v1/**", (route) => route.abort("connectionrefused"));
  await choose(page, kName, Buffer.from(kLine));
  await alertBox(page).filter({ hasText: "The node does not answer" }).waitFor();
  await page.locator("#node-state[data-state=down]").waitFor();
  await page.screenshot({ path: screenshotPath("unreachable"), fullPage: true });
  assert.deepEqual(await axeFindings(page), []);
  await close();
});

test("Store.CancelStopsAndListsNothing", async () => {
  const { page, close } = await openPage(browser, node.origin);
  const held = [];
  await page.route("**/v1/blocks/*", (route) => {
    if (route.request().method() !== "PUT") return route.fallback();
    held.push(route);
    return undefined;
  });
  await choose(page, "big.bin", Buffer.alloc(12 * 1024 * 1024, 7), "application/octet-stream");
  await page.getByRole("progressbar", { name: "Storing big.bin" }).waitFor();
  await page.waitForFunction(() =>
    document.querySelector(".job-status")?.textContent?.includes("of 14"),
  );
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.locator(".job").waitFor({ state: "detached" });
  await page.unroute("**/v1/blocks/*");
  await choose(page, kName, Buffer.from(kLine));
  await opened(page).waitFor();
  assert.deepEqual(await rows(page).locator(".file-name").allTextContents(), [kName]);
  assert.ok(held.length <= 4, `${held.length} blocks were under way at once`);
  await close();
});

test("Keyboard.WholeWayWithoutAPointer", async () => {
  const { page, close } = await openPage(browser, node.origin);
  // From now on, so that the browser hands choosers over before the first one is asked for.
  page.on("filechooser", () => {});
  const focused = () =>
    page.evaluate(() => {
      const { activeElement: at } = document;
      return at?.getAttribute("aria-label") ?? (at?.id || at?.textContent);
    });
  const tabTo = async (name) => {
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press("Tab");
      if ((await focused()) === name) return;
    }
    assert.fail(`"${name}" was not reached; the focus is on "${await focused()}"`);
  };
  await page.locator("#node-state[data-state=up]").waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to the content");
  await page.keyboard.press("Enter");
  await tabTo("pick");
  const ring = await page
    .locator("#pick + .button")
    .evaluate((b) => getComputedStyle(b).outlineStyle);
  assert.equal(ring, "solid", "the label shows the focus of its hidden input");
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.keyboard.press("Enter"),
  ]);
  await chooser.setFiles({ name: kName, mimeType: "text/plain", buffer: Buffer.from(kLine) });
  await opened(page).waitFor();
  assert.equal(await focused(), "opened-title");
  await tabTo("Download");
  await tabTo("Share");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "share-link");
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "Share", "the focus is back where it was");
  await tabTo("Close");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), `Fetch and open: ${kName}`);
  await page.keyboard.press("Enter");
  await opened(page).waitFor();
  await tabTo(`Forget: ${kName}`);
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "forget-no", "the harmless answer has the focus");
  await tabTo("forget-yes");
  await page.keyboard.press("Enter");
  await page.locator("#files-empty").waitFor();
  await close();
});

test("PlainHttp.PageSaysWhyItCannotSeal", async () => {
  const origin = `http://${kPlainHost}:${node.port}`;
  const { page, close, expect } = await openPage(browser, origin);
  expect(/Cross-Origin-Opener-Policy.*untrustworthy/);
  await alertBox(page).filter({ hasText: "HTTPS or from localhost" }).waitFor();
  assert.equal(await page.locator("#drop").isVisible(), false);
  await page.screenshot({ path: screenshotPath("plain-http") });
  assert.deepEqual(await axeFindings(page), []);
  await close();
});

test("Look.FirstAndOpenedAreAccessibleAndFitEveryScreen", async () => {
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, width, height] of [
      ["desktop", 1280, 900],
      ["mobile", 360, 740],
    ]) {
      const look = { colorScheme, viewport: { width, height }, reducedMotion: "reduce" };
      const { page, close } = await openPage(browser, node.origin, "/", look);
      await page.locator("#node-state[data-state=up]").waitFor();
      const picture = (step) =>
        page.screenshot({ path: screenshotPath(`${step}-${name}-${colorScheme}`), fullPage: true });
      await picture("first");
      assert.deepEqual(await axeFindings(page), [], `first, ${name}, ${colorScheme}`);
      await page.getByRole("button", { name: "Use a sample picture" }).click();
      await opened(page).waitFor();
      await picture("opened");
      assert.deepEqual(await axeFindings(page), [], `opened, ${name}, ${colorScheme}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${overflow} pixels too wide, ${name}`);
      await close();
    }
  }
});
