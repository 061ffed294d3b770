import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ModelError, modelDirectory } from "../src/index.ts";

let home: string;
let cache: string;
beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), "lethe-hub-")));
  cache = join(home, "cache");
  for (const name of ["HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"]) vi.stubEnv(name, undefined);
  vi.stubEnv("HF_HUB_CACHE", cache);
  vi.stubEnv("HOME", home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

/** A repository as `huggingface_hub` lays it out. */
async function repository(
  { refs = {}, commits }: { refs?: Record<string, string>; commits: readonly string[] },
  root = cache,
  name = "models--org--tiny.model",
): Promise<string> {
  const path = join(root, name);
  for (const commit of commits) {
    await mkdir(join(path, "snapshots", commit), { recursive: true });
    await writeFile(join(path, "snapshots", commit, "config.json"), "{}");
  }
  for (const [ref, commit] of Object.entries(refs)) {
    await mkdir(join(path, "refs", ref, ".."), { recursive: true });
    await writeFile(join(path, "refs", ref), commit);
  }
  return path;
}

const messageOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => expect.fail("no error"),
    (error) => {
      expect(error).toBeInstanceOf(ModelError);
      return error.message.replaceAll(home, "~");
    },
  );

test("a name, its repository and its snapshot lead to the same directory", async () => {
  const path = await repository({ refs: { main: "a1" }, commits: ["a1", "b2"] });
  const snapshot = join(path, "snapshots", "a1");
  expect(await modelDirectory("org/tiny.model")).toBe(snapshot);
  expect(await modelDirectory(path)).toBe(snapshot);
  expect(await modelDirectory(`${path}/`)).toBe(snapshot);
  expect(await modelDirectory(snapshot)).toBe(snapshot);
});

test("a revision is a branch, a tag, a pull request or a commit", async () => {
  const refs = { main: "a1", v2: "b2", "refs/pr/7": "c3" };
  const path = await repository({ refs, commits: ["a1", "b2", "c3", "d4"] });
  expect(await modelDirectory("org/tiny.model@v2")).toBe(join(path, "snapshots/b2"));
  expect(await modelDirectory("org/tiny.model@refs/pr/7")).toBe(join(path, "snapshots/c3"));
  expect(await modelDirectory("org/tiny.model@d4")).toBe(join(path, "snapshots/d4"));
});

test("without refs, the only snapshot is taken", async () => {
  const path = await repository({ commits: ["a1"] });
  expect(await modelDirectory("org/tiny.model")).toBe(join(path, "snapshots/a1"));
});

test("the cache is found by huggingface_hub's environment variables", async () => {
  const at = async (root: string) => {
    const path = await repository({ refs: { main: "a1" }, commits: ["a1"] }, root);
    return join(path, "snapshots/a1");
  };
  const places = {
    default: await at(join(home, ".cache/huggingface/hub")),
    xdg: await at(join(home, "xdg/huggingface/hub")),
    home: await at(join(home, "hf/hub")),
    legacy: await at(join(home, "legacy")),
    hub: await at(join(home, "$odd/hub")),
  };
  vi.stubEnv("HF_HUB_CACHE", "");
  expect(await modelDirectory("org/tiny.model")).toBe(places.default);
  vi.stubEnv("XDG_CACHE_HOME", join(home, "xdg"));
  expect(await modelDirectory("org/tiny.model")).toBe(places.xdg);
  vi.stubEnv("HF_HOME", "~/hf");
  expect(await modelDirectory("org/tiny.model")).toBe(places.home);
  vi.stubEnv("LETHE_TEST_PLACE", join(home, "legacy"));
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the environment, in the shell's spelling
  vi.stubEnv("HUGGINGFACE_HUB_CACHE", "${LETHE_TEST_PLACE}");
  expect(await modelDirectory("org/tiny.model")).toBe(places.legacy);
  vi.stubEnv("HF_HUB_CACHE", "~/$odd/hub");
  expect(await modelDirectory("org/tiny.model")).toBe(places.hub);
});

test("a directory with the same path is preferred to the cache", async () => {
  await repository({ refs: { main: "a1" }, commits: ["a1"] }, cache, "models--packages--decoder");
  expect(await modelDirectory("packages/decoder")).toBe("packages/decoder");
  expect(await modelDirectory("packages/decoder@main")).toContain("snapshots");
});

test("a model that is not in the cache: the error says where Lethe looked and what to do", async () => {
  expect(await messageOf(modelDirectory("org/tiny"))).toMatchInlineSnapshot(
    `"org/tiny is not there: no directory of that path, and no such model in the Hugging Face cache ~/cache; HF_HUB_OFFLINE is set, so nothing is downloaded. Give a model's directory."`,
  );
  expect(await messageOf(modelDirectory("models/org/tiny"))).toMatchInlineSnapshot(
    `"models/org/tiny is not there; expected a model's directory, with config.json and *.safetensors"`,
  );
  expect(await messageOf(modelDirectory("org/tiny@../../elsewhere"))).toContain("is not there; expected");
});

test("a revision that is not in the cache: the error lists those that are", async () => {
  await repository({ refs: { main: "a1" }, commits: ["a1", "b2"] });
  expect(await messageOf(modelDirectory("org/tiny.model@v2"))).toMatchInlineSnapshot(
    `"org/tiny.model@v2: revision v2 is not in ~/cache/models--org--tiny.model; HF_HUB_OFFLINE is set, so nothing is downloaded. Give one that is there: org/tiny.model@a1, org/tiny.model@b2."`,
  );
  await repository({ commits: ["a1", "b2"] }, cache, "models--org--two");
  expect(await messageOf(modelDirectory("org/two"))).toContain("Give one that is there: org/two@a1, org/two@b2.");
  await repository({ refs: { main: "a1" }, commits: [] }, cache, "models--org--none");
  expect(await messageOf(modelDirectory(join(cache, "models--org--none")))).toMatchInlineSnapshot(
    `"org/none is not there: no directory of that path, and no such model in the Hugging Face cache ~/cache; a path is only looked up, and the name org/none is downloaded. Give a model's directory."`,
  );
});
