import type { ServerResponse } from "node:http";
import { type FileServer, indexPage, type Serving, serveFiles } from "@lethe/testing/file-server";
import { afterEach, describe, expect, it, vi } from "vitest";
import { encodeSafetensors, httpFolder, httpSource, openCheckpointIn } from "../../src/safetensors/index.ts";
import { expectKind, golden } from "./build.ts";

/** Longer than the range that is asked for when a file is opened. */
const long = Uint8Array.from({ length: 2 ** 19 }, (_, i) => (i * 7) % 251);
const text = (content: string) => new TextEncoder().encode(content);
const files = new Map([
  ["/config.json", text(' {"a": 1}')],
  ["/long", long],
  ["/model.safetensors", encodeSafetensors([])],
]);

let server: FileServer;
const serve = async (serving: Serving = {}) => {
  server = await serveFiles(files, serving);
  return httpFolder(server.url);
};
afterEach(async () => {
  vi.unstubAllGlobals();
  await server[Symbol.asyncDispose]();
});

describe("an absent file", () => {
  const answers: [name: string, answer: (response: ServerResponse) => void, why: string][] = [
    ["with status 404", (response) => response.writeHead(404).end(), "the server answered 404"],
    ["with status 410", (response) => response.writeHead(410).end(), "the server answered 410"],
    ["with its index page", indexPage, "the server answered with status 200 and a page of HTML"],
    [
      "with a page of XHTML",
      (response) => response.writeHead(200, { "Content-Type": "application/xhtml+xml; charset=utf-8" }).end("<html/>"),
      "the server answered with status 200 and a page of HTML",
    ],
    [
      "with a page of an unknown type",
      (response) => response.writeHead(200).end("\n<!DOCTYPE html><title>x</title>"),
      "the server answered with status 200 and a page of HTML",
    ],
    [
      "with a range of its index page",
      (response) =>
        response.writeHead(206, { "Content-Type": "text/html", "Content-Range": "bytes 0-5/6" }).end("<html>"),
      "the server answered with status 206 and a page of HTML",
    ],
    [
      "with a sentence",
      (response) => response.writeHead(200, { "Content-Type": "text/plain" }).end("Cannot GET that"),
      "the server answered with status 200 and Cannot GET that",
    ],
    ["with nothing", (response) => response.writeHead(200).end(), "the server answered with status 200 and nothing"],
  ];

  it.each(answers)("that a server answers %s", async (_, absent, why) => {
    const folder = await serve({ absent });
    for (const file of ["absent.json", "absent.safetensors"]) {
      expect(await folder.open(file)).toBeUndefined();
      expect(folder.whyAbsent?.(file)).toBe(why);
      const { message } = await expectKind("not-found", () => httpSource(`${server.url}/${file}`));
      expect(message).toContain(why);
    }
    await expectKind("not-found", () => openCheckpointIn(httpFolder(`${server.url}/elsewhere`)));
  });

  it("is not a damaged one that a server answers with a range, nor a pointer of Git LFS", async () => {
    const damaged = new Map([["/model.safetensors", text("not safetensors")]]);
    server = await serveFiles(damaged);
    await expectKind("header-too-large", () => openCheckpointIn(httpFolder(server.url)));
    await server[Symbol.asyncDispose]();
    const pointer = new Map([["/model.safetensors", text("version https://git-lfs.github.com/spec/v1\n")]]);
    server = await serveFiles(pointer, { ranges: false });
    const { message } = await expectKind("header-too-large", () => openCheckpointIn(httpFolder(server.url)));
    expect(message).toContain("git lfs pull");
  });
});

describe("a sharded checkpoint on a server that answers absent files with its index page", () => {
  const names = ["model.safetensors.index.json", ...[1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`)];
  const sharded = new Map<string, Uint8Array>(names.map((name) => [`/${name}`, golden(`sharded/${name}`)]));

  it("is read, its shards all at once", async () => {
    server = await serveFiles(sharded, { absent: indexPage, roundMs: 150 });
    const checkpoint = await openCheckpointIn(httpFolder(server.url));
    // The file that holds everything, the index, the shards.
    expect(server.rounds).toBe(3);
    for (const name of checkpoint.names()) await checkpoint.read(name);
    expect(server.requests).toHaveLength(5);
  });

  it("that lacks a shard is an error that names it", async () => {
    const without = new Map([...sharded].filter(([path]) => !path.includes("00002-of")));
    server = await serveFiles(without, { absent: indexPage });
    const { message } = await expectKind("missing-shard", () => openCheckpointIn(httpFolder(server.url)));
    expect(message).toContain(`lacks "model-00002-of-00003.safetensors"`);
  });
});

describe("a server that ignores ranges", () => {
  it("will do for files that fit in memory", async () => {
    const folder = await serve({ ranges: false });
    const source = (await folder.open("long"))!;
    expect(await source.read(300_000, 9)).toEqual(long.slice(300_000, 300_009));
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ["says so", { "Content-Length": String(70 * 2 ** 20) }],
    ["does not say so", {}],
  ])("and whose file is larger, which it %s, is an error that says what to do", async (_, headers) => {
    const folder = await serve({
      absent(response) {
        response.writeHead(200, headers);
        const piece = new Uint8Array(2 ** 20);
        const more = () => {
          while (!response.destroyed && response.write(piece));
          response.once("drain", more);
        };
        more();
      },
    });
    const { message } = await expectKind("no-ranges", () => folder.open("large"));
    expect(message.replace(server.url, "URL")).toMatchInlineSnapshot(
      `"URL/large: the server ignored the Range header, and the whole file has over 67108864 bytes. Expected: a server that answers ranges with status 206, as nginx, Caddy, Vite and \`npx serve\` do and Python's http.server does not; in a browser, filesFolder(files) reads files that a person picks."`,
    );
  });
});

describe("a file with ranges", () => {
  it("is opened with one request, which small reads are served from", async () => {
    const folder = await serve();
    const source = (await folder.open("long"))!;
    expect(source.size).toBe(long.length);
    expect(await source.read(5, 1000)).toEqual(long.slice(5, 1005));
    expect(server.requests).toHaveLength(1);
    expect(await source.read(262_000, 1000)).toEqual(long.slice(262_000, 263_000));
    expect(server.requests.map(({ range }) => range)).toEqual(["bytes=0-262143", "bytes=262144-262999"]);
    expect(await source.read(long.length, 0)).toEqual(new Uint8Array(0));
    expect(await source.read(long.length - 5, 5)).toEqual(long.slice(-5));
    expect(server.requests).toHaveLength(3);
  });

  it("is asked for again where the server was busy or the connection was lost", async () => {
    const faults = [
      (response: ServerResponse) => response.writeHead(503).end(),
      (response: ServerResponse) => {
        response.writeHead(206, { "Content-Range": "bytes 300000-300008/524288", "Content-Length": 9 });
        response.write("123", () => response.destroy());
      },
    ];
    const folder = await serve({
      instead(request, response) {
        const fault = request.headers.range?.startsWith("bytes=0-") ? undefined : faults.shift();
        fault?.(response);
        return fault !== undefined;
      },
    });
    const source = (await folder.open("long"))!;
    expect(await source.read(300_000, 9)).toEqual(long.slice(300_000, 300_009));
    expect(server.requests).toHaveLength(4);
  });

  it("is opened once more where the server was busy", async () => {
    let busy = true;
    const folder = await serve({
      instead(_, response) {
        const refused = busy;
        if (refused) response.writeHead(429).end();
        busy = false;
        return refused;
      },
    });
    expect((await folder.open("long"))!.size).toBe(long.length);
    expect(server.requests).toHaveLength(2);
  });

  it("that the server refuses is asked for once", async () => {
    const folder = await serve({
      instead(request, response) {
        const refuses = !request.headers.range?.startsWith("bytes=0-");
        if (refuses) response.writeHead(403).end();
        return refuses;
      },
    });
    const source = (await folder.open("long"))!;
    const { message } = await expectKind("io", () => source.read(300_000, 9));
    expect(message).toContain("403 Forbidden");
    expect(server.requests).toHaveLength(2);
  });

  it("of which the server sends another range than was asked for is an error", async () => {
    const folder = await serve({
      instead(request, response) {
        const later = !request.headers.range?.startsWith("bytes=0-");
        if (later) response.writeHead(206, { "Content-Range": "bytes 0-8/524288" }).end(long.subarray(0, 9));
        return later;
      },
    });
    const source = (await folder.open("long"))!;
    const { message } = await expectKind("truncated", () => source.read(300_000, 9));
    expect(message).toContain("the server sent 9 bytes from 0 on for a range of 9 from 300000 on");
  });

  it("that changes while it is read, to one of the same size, is an error", async () => {
    let etag = '"1"';
    const folder = await serve({ headers: () => ({ ETag: etag }) });
    const source = (await folder.open("long"))!;
    etag = '"2"';
    const { message } = await expectKind("io", () => source.read(300_000, 9));
    expect(message).toContain("it has changed");
  });

  it("ends with the signal's reason, whatever is under way", async () => {
    const stop = new AbortController();
    let arrived = () => {};
    const hanging = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const folder = await serve({
      instead(request) {
        const hangs = !request.headers.range?.startsWith("bytes=0-");
        if (hangs) arrived();
        return hangs;
      },
    });
    const source = (await folder.open("long", stop.signal))!;
    const reading = source.read(300_000, 9);
    await hanging;
    stop.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
    await expect(source.read(0, 9)).rejects.toThrow("enough");
    await expect(folder.open("long", stop.signal)).rejects.toThrow("enough");
  });
});
