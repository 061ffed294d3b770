import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { excerpt } from "@lethe/tensor";
import { load, type NativeFiles } from "./native-load.ts";
import type { Tokenizer, TokenizerParts } from "./tokenizer.ts";

/** How long one call may take, in milliseconds. */
const limits = { load: 60_000, encode: 10_000, decode: 10_000 };

/** The other process: it answers each call with a value or an error. */
const script = `
const __name = (value) => value;
const load = ${load};
const library = require(process.argv[1]);
let tokenizer;
const calls = {
  load(files) {
    tokenizer = load(library, files);
    return Object.entries(tokenizer.getVocab(true));
  },
  encode: async (text, special) => (await tokenizer.encode(text, null, { addSpecialTokens: special })).getIds(),
  decode: (ids, skipSpecial) => tokenizer.decode(ids, skipSpecial),
};
process.on("message", async ({ call, args }) => {
  try {
    process.send({ value: await calls[call](...args) });
  } catch (error) {
    process.send({ error: error.message });
  }
});`;

type Answer = { readonly value: unknown } | { readonly error: string };

/** Why the native library cannot be used here; undefined where it can. */
export function noNativeLibrary(): string | undefined {
  try {
    find();
    return undefined;
  } catch {
    return "it is not installed: npm install tokenizers";
  }
}

function find(): string {
  return createRequire(import.meta.url).resolve("tokenizers");
}

/**
 * The native library's tokenizer, in a process of its own, which ends with this one. If it ends early, or takes too long, each call is an
 * error: the library ends its process where its code meets something that it did not expect, and its patterns can take for ever.
 */
export async function nativeTokenizer({ json, added, bos }: TokenizerParts): Promise<Tokenizer> {
  // What was checked is what is loaded: a field that stands twice in the file could be read in two ways.
  const files: NativeFiles = { source: JSON.stringify(json), added, bos };
  const child = spawn(process.execPath, ["--eval", script, find()], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
    env: {},
  });
  let complaint = "";
  child.stderr?.on("data", (data) => {
    if (complaint.length < 1000) complaint += data;
  });
  // It must not keep this process alive; a call does, while it runs.
  child.unref();
  child.channel?.unref();
  (child.stderr as unknown as { unref(): void }).unref();
  const end = new AbortController();
  child.once("error", (cause) => end.abort(cause));
  child.once("close", () => end.abort(new Error(`the native library ended: ${excerpt(panic(complaint))}`)));

  // One call after another, so that answers need no names.
  let last: Promise<unknown> = Promise.resolve();
  const call = <T>(what: keyof typeof limits, ...args: unknown[]): Promise<T> => {
    const answer = last.then(() => ask(child, end, what, args));
    last = answer.catch(() => {});
    return answer as Promise<T>;
  };
  const vocabulary = new Map((await call<[string, number][]>("load", files)).map(([token, id]) => [id, token]));
  return {
    encode: (text, special) => call("encode", text, special),
    decode: (ids, skipSpecial) => call("decode", [...ids], skipSpecial),
    token: (id) => vocabulary.get(id) ?? null,
  };
}

async function ask(child: ChildProcess, end: AbortController, call: keyof typeof limits, args: unknown[]) {
  end.signal.throwIfAborted();
  const limit = new AbortController();
  // The timer also keeps this process alive until the answer is here, or the end of the other process is known.
  const timer = setTimeout(() => limit.abort(), limits[call]);
  try {
    const answer = once(child, "message", { signal: AbortSignal.any([end.signal, limit.signal]) });
    // A failure to send is told by the process's end.
    child.send({ call, args }, () => {});
    const [got] = (await answer) as [Answer];
    if ("error" in got) throw new Error(got.error);
    return got.value;
  } catch (cause) {
    if (limit.signal.aborted) {
      end.abort(new Error(`the native library took more than ${limits[call] / 1000} seconds`));
      child.kill("SIGKILL");
    }
    throw end.signal.aborted ? end.signal.reason : cause;
  } finally {
    clearTimeout(timer);
  }
}

/** What the library says when it ends: the first line of its complaint that says why. */
function panic(complaint: string): string {
  const lines = complaint.split("\n").filter(Boolean);
  return lines.slice(0, 2).join(" ") || "it said nothing";
}
