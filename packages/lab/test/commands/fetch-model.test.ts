import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { encodeSafetensors } from "@lethe/tensor";
import { serveHub } from "@lethe/testing/hub-server";
import { expect, onTestFinished, test, vi } from "vitest";
import { fetchModel } from "../../src/commands/fetch-model.ts";

test("a model of the Hub comes into the cache with its progress, and is left alone there", async () => {
  const cache = await mkdtemp(join(tmpdir(), "lethe-fetch-"));
  const weights = encodeSafetensors([{ name: "a", dtype: "U8", shape: [2e6], data: new Uint8Array(2e6) }]);
  const files = { "config.json": new TextEncoder().encode("{}"), "model.safetensors": weights };
  const commit = "0123456789012345678901234567890123456789";
  const server = await serveHub({ name: "org/tiny", commit, revisions: ["main"], files });
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await server[Symbol.asyncDispose]();
    await rm(cache, { recursive: true });
  });
  vi.stubEnv("HF_HUB_OFFLINE", undefined);
  vi.stubEnv("HF_HUB_CACHE", cache);
  vi.stubEnv("HF_ENDPOINT", server.url);

  const terminal = Object.assign(new PassThrough(), { isTTY: true }) as unknown as NodeJS.WriteStream;
  await fetchModel("org/tiny", terminal);
  expect(String(terminal.read())).toMatch(/100% .* fetching org\/tiny · 2\.0 of 2\.0 MB/);
  expect(await readdir(join(cache, "models--org--tiny", "snapshots", commit))).toEqual([
    "config.json",
    "model.safetensors",
  ]);
  await fetchModel("org/tiny", terminal);
  expect(terminal.read()).toBeNull();
});
