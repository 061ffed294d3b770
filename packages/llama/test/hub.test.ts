import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testDevice } from "@lethe/testing/device";
import { goldenDirectory, goldenModel } from "@lethe/testing/golden";
import { afterEach, expect, test, vi } from "vitest";
import { loadLlama } from "../src/index.ts";

const device = await testDevice();
const cache = await mkdtemp(join(tmpdir(), "lethe-cache-"));
afterEach(() => rm(cache, { recursive: true }));

test("a model is loaded from the Hugging Face cache by its name", async () => {
  const golden = goldenDirectory("mha-untied-bf16");
  const repository = join(cache, "models--org--tiny");
  const snapshot = join(repository, "snapshots/5c0ffee");
  await mkdir(snapshot, { recursive: true });
  await mkdir(join(repository, "refs"));
  await writeFile(join(repository, "refs/main"), "5c0ffee");
  // Snapshots are links into a directory of blobs.
  for (const file of await readdir(golden)) await symlink(join(golden, file), join(snapshot, file));
  vi.stubEnv("HF_HUB_CACHE", cache);
  using original = await goldenModel(device, "mha-untied-bf16");
  for (const place of ["org/tiny", "org/tiny@5c0ffee", repository, snapshot]) {
    using model = await loadLlama(device, place);
    expect(model.label).toBe(snapshot);
    expect(model.config).toEqual(original.config);
    const name = "model.layers.1.mlp.down_proj.weight";
    expect(await model.weights.get(name)!.read()).toEqual(await original.weights.get(name)!.read());
  }
  vi.unstubAllEnvs();
});
