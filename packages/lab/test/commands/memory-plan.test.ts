import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveHub } from "@lethe/testing/hub-server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runPlan } from "../../src/commands/plan/cli.ts";
import { printed } from "./printed.ts";

const tiny = join(import.meta.dirname, "../../../../models/tiny-llama");
/** Rates, so that nothing is measured. */
const rates = ["--flops", "1e12", "--bandwidth", "1e11"];
const quick = [
  ...rates,
  "--texts",
  "2",
  "--text-tokens",
  "16",
  "--method",
  "npo",
  "--train",
  "all",
  "--train",
  "W_V",
  "--train",
  "lora:8",
];

async function plan(...args: string[]) {
  const { texts, streams } = printed();
  const code = await runPlan(args, streams);
  return { code, ...texts };
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lethe-plan-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe("npm run plan", () => {
  it("prints what fits each device, with its parts, the largest first", async () => {
    const { code, out } = await plan("--model", tiny, "--memory", "1e9", "--memory", "1e6", ...rates, "--train", "W_V");
    expect(code).toBe(0);
    expect(out).toMatch(/tiny-llama: 791,104 parameters in f32, with the texts of Harry Potter, in the tokens of/);
    expect(out).toMatch(/1 TFLOP\/s and 100 GB\/s allow, as given/);
    expect(out).toMatch(/^trained +method +memory +a parameter +on 1 GB +on 1 MB +time +its parts$/m);
    expect(out).toMatch(
      /^W_V +npo\+kl +[\d.]+ MB +[\d.]+ B +fits: 9\d\d(\.\d)? MB left +[\d.]+ MB too much +\d+ s +[\d.]+ MB +\w/m,
    );
    expect(out).toMatch(/^ +528\.4 kB +AdamW's first moments$/m);
    expect((await plan("--model", tiny, "--memory", "1e9", ...quick, "--no-parts")).out).not.toContain("moments");
  });

  it("needs no more than config.json, and says the same as with the weights", async () => {
    const alone = join(folder, "alone");
    await mkdir(alone);
    await cp(join(tiny, "config.json"), join(alone, "config.json"));
    const rows = async (model: string) => {
      const { code, out } = await plan("--model", model, "--memory", "1e9", ...quick, "--json");
      expect(code).toBe(0);
      return JSON.parse(out);
    };
    const [one, other] = [await rows(alone), await rows(tiny)];
    expect({ ...one, model: "" }).toEqual({ ...other, model: "" });
    expect(one).toMatchObject({
      parameters: 791_104,
      memory: [1e9],
      texts: "2 texts of 16 tokens",
      rates: { flops: 1e12 },
    });
    expect(one.rows).toHaveLength(3);
    expect(one.rows[0]).toMatchObject({ methods: ["npo"], seconds: expect.any(Number), at: expect.any(String) });
    const config = JSON.parse(await readFile(join(tiny, "config.json"), "utf8"));
    await writeFile(
      join(alone, "config.json"),
      JSON.stringify({ ...config, dtype: undefined, torch_dtype: undefined }),
    );
    const refused = await plan("--model", alone, "--memory", "1e9", ...quick);
    expect(refused.code).toBe(78);
    expect(refused.err).toMatch(
      /config\.json does not say their dtype\. Add "torch_dtype", one of float32, float16, bfloat16/,
    );
  });

  it("knows shapes by name, and how a recipe changes what it takes", async () => {
    const most = async (...more: string[]) => {
      const { out } = await plan(
        "--model",
        "1b-llama",
        "--memory",
        "16e9",
        ...quick,
        "--train",
        "all",
        "--json",
        ...more,
      );
      return JSON.parse(out).rows[0].bytes as number;
    };
    expect(await most("--batch-size", "2", "--no-checkpointing")).toBeGreaterThan(await most("--batch-size", "2"));
  });

  it("fetches no weights of a model on the Hub", async () => {
    const names = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
    const entries = await Promise.all(names.map(async (name) => [name, await readFile(join(tiny, name))] as const));
    const commit = "0123456789012345678901234567890123456789";
    const server = await serveHub({
      name: "org/tiny",
      commit,
      revisions: ["main"],
      files: Object.fromEntries(entries),
    });
    try {
      for (const name of ["HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]) vi.stubEnv(name, undefined);
      vi.stubEnv("HF_HUB_CACHE", folder);
      vi.stubEnv("HF_ENDPOINT", server.url);
      const { code, err, out } = await plan(
        "--model",
        "org/tiny",
        "--memory",
        "1e9",
        ...rates,
        "--train",
        "W_V",
        "--json",
      );
      expect([code, err]).toEqual([0, ""]);
      expect(JSON.parse(out).parameters).toBe(791_104);
      const asked = server.requests.filter(({ path, range }) => path.startsWith("/large/") && range);
      const bytes = asked.map(({ range }) => /(\d+)-(\d+)/.exec(range!)!.slice(1).map(Number) as [number, number]);
      expect(bytes.length).toBeGreaterThan(0);
      expect(bytes.reduce((sum, [from, to]) => sum + to - from + 1, 0)).toBeLessThan(entries.at(-1)![1].length / 2);
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });

  it("measures this machine where no rates are given", async () => {
    const { out } = await plan("--model", tiny, "--memory", "1e9", ...quick.slice(rates.length), "--json");
    const { flops, bandwidth, source } = JSON.parse(out).rates;
    expect(flops).toBeGreaterThan(1e8);
    expect(bandwidth).toBeGreaterThan(1e8);
    expect(source).toMatch(/^measured here on /);
  });

  it("refuses what it does not know", async () => {
    const refused = async (...args: string[]) => {
      const { code, err } = await plan(...args);
      expect(code).toBe(78);
      return err;
    };
    expect(await refused("--memory", "1e9")).toMatch(/required option '--model <model>' not specified/);
    expect(await refused("--model", tiny)).toMatch(/required option '--memory <bytes>' not specified/);
    const all = ["--model", tiny, "--memory", "1e9", ...rates];
    expect(await refused(...all, "--method", "npoo")).toMatch(/there is no method "npoo".*"npo"/s);
    expect(await refused(...all, "--train", "half")).toMatch(/"half" names no part of a model that can be trained/);
    expect(await refused(...all, "--train", "needle:40.1")).toMatch(/the model has layers 0 to 11/);
    expect(await refused("--model", join(folder, "none"), "--memory", "1e9", ...rates)).toMatch(/is not there/);
    expect(await refused("--model", tiny, "--memory", "lots", ...rates)).toMatch(/Expected a number/);
  });
});
