import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scanCachedRepo, snapshotDownload } from "@huggingface/hub";
import { encodeSafetensors } from "@lethe/tensor";
import type { FileServer, Serving } from "@lethe/testing/file-server";
import { type Repository, serveHub } from "@lethe/testing/hub-server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { folderAt as folderInBrowser } from "../src/checkpoint/disk.browser.ts";
import {
  folderOf,
  hubFolder,
  type LoadProgress,
  ModelError,
  modelDirectory,
  openModelCheckpoint,
  readConfig,
} from "../src/index.ts";

const text = (content: string) => new TextEncoder().encode(content);
const shard = (name: string) =>
  encodeSafetensors([{ name, dtype: "U8", shape: [1000], data: new Uint8Array(1000).fill(name.charCodeAt(0)) }]);
const [first, second] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
const tiny: Repository = {
  name: "org/tiny.model",
  commit: "0123456789012345678901234567890123456789",
  revisions: ["main", "v2", "refs/pr/7"],
  files: {
    "config.json": text('{"model_type": "llama"}'),
    "tokenizer.json": text("{}"),
    "model.safetensors.index.json": text(JSON.stringify({ weight_map: { a: first, b: second } })),
    [first]: shard("a"),
    [second]: shard("b"),
  },
};

let home: string;
let cache: string;
let folder: string;
let server: FileServer;
beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), "lethe-hub-")));
  cache = join(home, "cache");
  folder = join(cache, "models--org--tiny.model");
  for (const name of ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
    vi.stubEnv(name, undefined);
  vi.stubEnv("HF_HOME", home);
  vi.stubEnv("HF_HUB_CACHE", cache);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  await server[Symbol.asyncDispose]();
  await rm(home, { recursive: true });
});
async function serve(repository: Repository = tiny, serving: Serving = {}): Promise<void> {
  server = await serveHub(repository, serving);
  vi.stubEnv("HF_ENDPOINT", `${server.url}/`);
}

/** Every file below a folder, with its content or, of a link, where it leads. */
async function contents(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of await readdir(root, { recursive: true })) {
    const stat = await lstat(join(root, name));
    if (stat.isSymbolicLink()) found[name] = `→ ${await readlink(join(root, name))}`;
    else if (stat.isFile()) found[name] = await readFile(join(root, name), "latin1");
  }
  return found;
}

const messageOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => expect.fail("no error"),
    (error) => {
      expect(error).toBeInstanceOf(ModelError);
      return error.message.replaceAll(home, "~").replaceAll(server.url, "HUB");
    },
  );

describe("a model that is not in the cache", () => {
  test("is put there as Hugging Face's own library lays it out", async () => {
    await serve();
    const directory = await modelDirectory("org/tiny.model");
    expect(directory).toBe(join(folder, "snapshots", tiny.commit));
    expect(await readConfig(await folderOf(directory))).toEqual({ model_type: "llama" });
    const debug = vi.spyOn(console, "debug").mockImplementation(() => {});
    const other = join(home, "other");
    await snapshotDownload({ repo: tiny.name, cacheDir: other, hubUrl: server.url });
    debug.mockRestore();
    expect(await contents(folder)).toEqual(await contents(join(other, "models--org--tiny.model")));
    const { revisions, filesCount } = await scanCachedRepo(folder);
    expect([filesCount, revisions.map(({ refs }) => refs)]).toEqual([5, [["main"]]]);
  });

  test.each([["v2"], ["refs/pr/7"], [tiny.commit]])("is taken at the revision %s", async (revision) => {
    await serve();
    expect(await modelDirectory(`org/tiny.model@${revision}`)).toBe(join(folder, "snapshots", tiny.commit));
    const refs = await contents(join(folder, "refs")).catch(() => ({}));
    expect(refs).toEqual(revision === tiny.commit ? {} : { [revision]: tiny.commit });
    await server[Symbol.asyncDispose]();
    expect(await modelDirectory(`org/tiny.model@${revision}`)).toBe(join(folder, "snapshots", tiny.commit));
  });

  test("is fetched without what Lethe does not read", async () => {
    const more = {
      "README.md": text("# x"),
      "pytorch_model.bin": text("x"),
      "onnx/model.onnx": text("x"),
      "../x": text("x"),
    };
    await serve({ ...tiny, files: { ...tiny.files, ...more } });
    const directory = await modelDirectory("org/tiny.model");
    expect((await readdir(directory)).sort()).toEqual(Object.keys(tiny.files).sort());
  });

  test("is fetched without files that its index names and that are no shards", async () => {
    const map = { a: first, b: "../x.safetensors", c: "..", d: "x.bin" };
    const odd = { "../x.safetensors": text("x"), "..": text("x"), "x.bin": text("x") };
    const index = text(JSON.stringify({ weight_map: map }));
    await serve({ ...tiny, files: { ...tiny.files, ...odd, "model.safetensors.index.json": index } });
    const directory = await modelDirectory("org/tiny.model");
    const expected = ["config.json", first, "model.safetensors.index.json", "tokenizer.json"];
    expect((await readdir(directory)).sort()).toEqual(expected);
    expect((await readdir(join(folder, "blobs"))).length).toBe(expected.length);
  });

  test("tells how far it is", async () => {
    await serve();
    const steps: LoadProgress[] = [];
    await folderOf("org/tiny.model", { onProgress: (step) => steps.push(step) });
    const totalBytes = Object.values(tiny.files).reduce((sum, { length }) => sum + length, 0);
    expect(steps.at(-1)).toEqual({ stage: "download", doneBytes: totalBytes, totalBytes });
    expect(steps).toHaveLength(5);
  });

  test("may be fetched by several at once", async () => {
    await serve();
    const all = await Promise.all([1, 2, 3].map(() => modelDirectory("org/tiny.model")));
    expect(new Set(all)).toEqual(new Set([join(folder, "snapshots", tiny.commit)]));
    await (await openModelCheckpoint(await folderOf(all[0]!))).close();
    expect((await readdir(join(folder, "blobs"))).length).toBe(5);
  });

  test("whose download was stopped leaves no snapshot, and goes on where it was", async () => {
    await serve();
    const stop = new AbortController();
    const onProgress = ({ doneBytes }: LoadProgress) => doneBytes > 1000 && stop.abort(new Error("enough"));
    await expect(modelDirectory("org/tiny.model", { signal: stop.signal, onProgress })).rejects.toThrow("enough");
    expect(await readdir(folder)).toEqual(["blobs"]);
    const blobs = await readdir(join(folder, "blobs"));
    expect(blobs.filter((blob) => !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(blob))).toEqual([]);
    server.requests.length = 0;
    await modelDirectory("org/tiny.model");
    const fetched = new Set(server.requests.map(({ path }) => path).filter((path) => path.startsWith("/large/")));
    expect(fetched).toEqual(new Set([expect.stringMatching("/large/")]));
  });

  test("whose content is not what the Hub lists is refused, and not kept", async () => {
    await serve(tiny, {
      instead({ url }, response) {
        if (!url!.startsWith("/large/")) return false;
        response.writeHead(200).end(shard("c"));
        return true;
      },
    });
    const { message } = await modelDirectory("org/tiny.model").catch((error) => error);
    expect(message).toContain("is not the file that the Hub lists, by its hash");
    expect(await readdir(folder)).toEqual(["blobs"]);
  });
});

describe("a model in the cache", () => {
  test("is taken without a request", async () => {
    await serve();
    await modelDirectory("org/tiny.model");
    server.requests.length = 0;
    await modelDirectory("org/tiny.model");
    expect(server.requests).toEqual([]);
  });

  /** What another program leaves that read the tokenizer alone. */
  async function tokenizerAlone(): Promise<string> {
    const snapshot = join(folder, "snapshots", tiny.commit);
    await mkdir(snapshot, { recursive: true });
    await mkdir(join(folder, "blobs"));
    await mkdir(join(folder, "refs"));
    await writeFile(join(folder, "refs", "main"), tiny.commit);
    await writeFile(join(folder, "blobs", "9e26dfeeb6e641a33dae4961196235bdb965b21b"), "{}");
    await symlink("../../blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b", join(snapshot, "tokenizer.json"));
    return snapshot;
  }

  test("in part is completed", async () => {
    await serve();
    const snapshot = await tokenizerAlone();
    expect(await modelDirectory("org/tiny.model")).toBe(snapshot);
    expect((await readdir(snapshot)).sort()).toEqual(Object.keys(tiny.files).sort());
    expect(server.requests.filter(({ path }) => path.endsWith("tokenizer.json"))).toEqual([]);
  });

  test("in part is taken as it is where the Hub is out of reach", async () => {
    await serve();
    const snapshot = await tokenizerAlone();
    vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:1");
    expect(await modelDirectory("org/tiny.model")).toBe(snapshot);
    vi.stubEnv("HF_ENDPOINT", server.url);
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await modelDirectory("org/tiny.model")).toBe(snapshot);
    expect(server.requests).toEqual([]);
  });
});

describe("a model that is private", () => {
  test.each([
    ["HF_TOKEN", () => vi.stubEnv("HF_TOKEN", " hf_secret\n")],
    ["the file of `hf auth login`", () => writeFile(join(home, "token"), "hf_secret\n")],
  ])("is read with the token of %s", async (_, give) => {
    await serve({ ...tiny, token: "hf_secret" });
    expect(await messageOf(modelDirectory("org/tiny.model"))).toContain(
      "HUB has no model org/tiny.model that can be read without an access token (HF_TOKEN in Node)",
    );
    await give();
    await modelDirectory("org/tiny.model");
    vi.stubEnv("HF_TOKEN", "hf_other");
    expect(await messageOf(modelDirectory("org/tiny.model@v2"))).toContain(
      "HUB has no model org/tiny.model that your access token may read",
    );
    vi.stubEnv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
    expect(await messageOf(modelDirectory("org/tiny.model@v2"))).toContain("without an access token");
  });
});

describe("the error says what to do", () => {
  test("with no such model", async () => {
    await serve();
    expect(await messageOf(modelDirectory("org/other"))).toMatchInlineSnapshot(
      `"org/other is not there: no directory of that path, and no such model in the Hugging Face cache ~/cache; HUB has no model org/other that can be read without an access token (HF_TOKEN in Node). Give a model's directory."`,
    );
  });

  test("with no such revision", async () => {
    await serve();
    await modelDirectory("org/tiny.model");
    expect(await messageOf(modelDirectory("org/tiny.model@v3"))).toMatchInlineSnapshot(
      `"org/tiny.model@v3: revision v3 is not in ~/cache/models--org--tiny.model; HUB has org/tiny.model, and no revision v3 of it. Give one that is there: org/tiny.model@0123456789012345678901234567890123456789."`,
    );
  });

  test.each([
    ["HF_HUB_OFFLINE", "true", "HF_HUB_OFFLINE is set, so nothing is downloaded. Give a model's directory."],
    ["TRANSFORMERS_OFFLINE", "1", "nothing is downloaded"],
    ["HF_ENDPOINT", "http://127.0.0.1:1", "http://127.0.0.1:1 could not be reached ("],
  ])("where %s is %s", async (variable, value, expected) => {
    await serve();
    vi.stubEnv(variable, value);
    expect(await messageOf(modelDirectory("org/tiny.model"))).toContain(expected);
    expect(server.requests).toEqual([]);
  });

  test.each<[status: number, headers: Record<string, string>, expected: string]>([
    [
      403,
      { "X-Error-Code": "GatedRepo" },
      "org/tiny.model is gated: accept its terms on HUB/org/tiny.model, and give an access token",
    ],
    [500, {}, "HUB answered 500 for org/tiny.model: sorry"],
    [200, {}, "HUB answered for org/tiny.model with something else than a list of its files"],
  ])("where the Hub answers %i %j", async (status, headers, expected) => {
    await serve(tiny, {
      instead(_, response) {
        response.writeHead(status, headers).end("sorry");
        return true;
      },
    });
    expect(await messageOf(modelDirectory("org/tiny.model"))).toContain(expected);
  });

  test("a repository without weights that Lethe reads, of which nothing is fetched", async () => {
    await serve({ ...tiny, files: { "config.json": text("{}"), "pytorch_model.bin": text("x") } });
    expect(await messageOf(modelDirectory("org/tiny.model"))).toContain(
      "org/tiny.model@0123456789012345678901234567890123456789: its weights are in pytorch_model.bin: pickles",
    );
    expect(await readdir(home)).toEqual([]);
  });
});

describe("in a browser", () => {
  test("a name is read from the Hub by ranges, at one commit, without the cache", async () => {
    await serve();
    const files = await hubFolder("org/tiny.model@v2", { endpoint: server.url });
    expect(files.name).toBe(`org/tiny.model@${tiny.commit}`);
    expect(await files.list?.()).toEqual(Object.keys(tiny.files));
    expect(await files.open("absent.json")).toBeUndefined();
    const checkpoint = await openModelCheckpoint(files);
    expect(checkpoint.names()).toEqual(["a", "b"]);
    expect(await checkpoint.read("b")).toEqual(new Uint8Array(1000).fill(98));
    const [list, ...reads] = server.requests;
    expect(list!.path).toContain("/api/models/org/tiny.model/revision/v2");
    for (const { path, range } of reads)
      expect([range, path]).toEqual([expect.stringContaining("bytes="), expect.not.stringContaining("v2")]);
    expect(await readdir(home)).toEqual([]);
  });

  test("a name alone is a model's place, and a path is not", async () => {
    await serve();
    vi.stubGlobal("fetch", async (url: string) => {
      expect(url).toBe("https://huggingface.co/api/models/org/tiny.model/revision/main?blobs=true");
      return new Response(JSON.stringify({ sha: tiny.commit, siblings: [] }));
    });
    expect((await folderInBrowser("org/tiny.model", {})).name).toBe(`org/tiny.model@${tiny.commit}`);
    expect(await messageOf(folderInBrowser("models/org/tiny", {}))).toContain("a browser has no directories");
    expect(await messageOf(hubFolder("tiny"))).toContain("expected org/name");
  });
});
