// Server-sent events (WHATWG HTML, section 9.2) out of an answer's body.

import { BadAnswer } from "../base/errors.js";
import type { Answer } from "./answer.js";

/** Several times the longest link as text. */
const kMaxEventChars = 1024 * 1024;

export interface ServerEvent {
  /** `message` unless the server names another. */
  readonly event: string;
  readonly data: string;
  /** The last id that the server gave, or "". */
  readonly id: string;
}

/** Events until the body ends; comments are passed over, but count as signs of life. */
export async function* readEvents(answer: Answer): AsyncGenerator<ServerEvent, void, undefined> {
  let event = "";
  let data: string[] = [];
  let id = "";
  for await (const line of readLines(answer)) {
    if (line === "") {
      if (data.length > 0) yield { event: event || "message", data: data.join("\n"), id };
      event = "";
      data = [];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
    else if (field === "id") id = value;
    if (data.length > kMaxEventChars / 64) throw tooLong(answer);
  }
}

async function* readLines(answer: Answer): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let held = "";
  for await (const part of answer.parts()) {
    held += decoder.decode(part, { stream: true });
    // A "\r" at the very end may be half of a "\r\n".
    const lines = held.split(/\r\n|\n|\r(?!$)/);
    held = lines.pop()!;
    if (held.length > kMaxEventChars) throw tooLong(answer);
    yield* lines;
  }
}

function tooLong(answer: Answer): BadAnswer {
  return answer.bad("an event longer than any link");
}
