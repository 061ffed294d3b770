import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileSource } from "../../src/node/index.ts";
import { type ByteSource, blobSource, bytesSource, httpSource } from "../../src/safetensors/index.ts";
import { expectKind } from "./build.ts";

const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);
let directory: string;
let server: Server;
let url: string;
let served: Uint8Array = content;

/** A file server. The path of a request selects how it behaves. */
const serve: RequestListener = (request, response) => {
  const behaviour = new URL(request.url!, url).pathname.slice(1);
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (behaviour === "absent") return response.writeHead(404).end("no such file");
  if (behaviour === "private" && request.headers.authorization !== "Bearer token") return response.writeHead(401).end();
  if (behaviour === "empty") return response.writeHead(416, { "Content-Range": "bytes */0" }).end();
  if (request.method === "HEAD") return response.writeHead(200, { "Content-Length": served.length }).end();
  if (behaviour === "whole" || range === null) return response.writeHead(200).end(served);
  const [begin, end] = [Number(range[1]), Math.min(Number(range[2]), served.length - 1)];
  const total = behaviour === "hidden" ? "*" : served.length;
  response.writeHead(206, { "Content-Range": `bytes ${begin}-${end}/${total}` });
  return response.end(served.subarray(begin, behaviour === "short" ? end : end + 1));
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lethe-source-"));
  await writeFile(join(directory, "content"), content);
  server = createServer(serve).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

describe.each<[string, () => ByteSource | Promise<ByteSource>]>([
  ["an ArrayBuffer", () => bytesSource(content.buffer)],
  ["a view into a larger buffer", () => bytesSource(new Uint8Array([1, 2, 3, ...content, 4]).subarray(3, 1003))],
  ["a Blob", () => blobSource(new Blob([content]))],
  ["a File", () => blobSource(new File([content], "content"))],
  ["a file on disk", () => fileSource(join(directory, "content"))],
  ["a URL", () => httpSource(url)],
  ["a URL of a server that hides Content-Range", () => httpSource(`${url}hidden`)],
])("%s as a source", (_, open) => {
  it("reads any range into an array at the start of its buffer, and nothing beyond the end", async () => {
    const source = await open();
    expect(source.size).toBe(1000);
    for (const [offset, length] of [
      [0, 1000],
      [1, 7],
      [993, 7],
      [500, 0],
      [1000, 0],
    ] as const) {
      const bytes = await source.read(offset, length);
      expect(bytes).toEqual(content.slice(offset, offset + length));
      expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, length]);
      bytes.fill(0);
    }
    expect(await source.read(0, 1000)).toEqual(content);
    await expectKind("truncated", () => source.read(999, 2));
    await expectKind("truncated", () => source.read(-1, 1));
    await source.close?.();
  });
});

describe("a URL", () => {
  it.each([
    ["absent", "not-found"],
    ["private", "io"],
  ] as const)("that is %s fails with %s", async (behaviour, kind) => {
    const { file } = await expectKind(kind, () => httpSource(url + behaviour));
    expect(file).toBe(url + behaviour);
  });

  it("gets the caller's headers with every request", async () => {
    const source = await httpSource(`${url}private`, { headers: { Authorization: "Bearer token" } });
    expect(await source.read(3, 2)).toEqual(content.slice(3, 5));
  });

  it("of an empty file has size 0", async () => {
    expect((await httpSource(`${url}empty`)).size).toBe(0);
  });

  it("that sends less than was asked for is truncated", async () => {
    await expectKind("truncated", () => httpSource(`${url}short`));
  });

  it("whose file changes between reads fails, so that two files are not mixed", async () => {
    served = new Uint8Array(2 ** 19);
    const source = await httpSource(url);
    served = served.subarray(0, 2 ** 19 - 100);
    await expectKind("io", () => source.read(300_000, 10));
    served = content;
  });

  it("without a server fails with io", async () => {
    await expectKind("io", () => httpSource("http://127.0.0.1:1/"));
  });
});

describe("a file on disk", () => {
  it("that is absent is not-found; a directory is io", async () => {
    await expectKind("not-found", () => fileSource(join(directory, "absent")));
    await expectKind("io", () => fileSource(directory));
  });

  it("that shrinks while open is truncated", async () => {
    const path = join(directory, "shrinking");
    await writeFile(path, content);
    const source = await fileSource(path);
    await truncate(path, 10);
    await expectKind("truncated", () => source.read(0, 20));
    await source.close?.();
  });
});
