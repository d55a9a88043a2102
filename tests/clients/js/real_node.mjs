// The program itself (CAIRN_BIN), for the time of a test.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const kBin = process.env.CAIRN_BIN;

/** Starts a node for the time of a test; its ready line names the port. */
export async function startNode(t, ...settings) {
  const directory = await mkdtemp(join(tmpdir(), "cairn-sdk-"));
  const sets = [
    "listen.http=127.0.0.1:0",
    "listen.admin=",
    `node.data_dir=${directory}`,
    ...settings,
  ];
  const node = spawn(kBin, ["serve", ...sets.flatMap((set) => ["--set", set])], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.after(async () => {
    const exit = once(node, "exit");
    node.kill("SIGTERM");
    await exit;
    await rm(directory, { recursive: true });
  });
  for await (const line of createInterface(node.stdout)) {
    const ready = /^ready http=(\S+)/.exec(line);
    if (ready) return `http://${ready[1]}`;
  }
  throw new Error("the node ended before it was ready");
}
