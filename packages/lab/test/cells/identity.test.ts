import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel } from "@lethe/auto";
import { folderOf } from "@lethe/decoder";
import { openDevice } from "@lethe/tensor";
import { expect, it } from "vitest";
import { identifyModel } from "../../src/cells/identity.ts";

it("a model's identity changes with every file that is read to load it, and with no other", async () => {
  const root = await mkdtemp(join(tmpdir(), "lethe-identity-"));
  const device = await openDevice();
  try {
    const directory = join(root, "model");
    await cp(join(import.meta.dirname, "../../../../models/tiny-llama"), directory, { recursive: true });
    const folder = await folderOf(directory);
    const asked = new Set<string>();
    const model = await loadModel(device, {
      ...folder,
      open: (file) => {
        asked.add(file);
        return folder.open(file);
      },
    });
    model.dispose();
    // It is asked for ahead, and is of no use beside a single file.
    asked.delete("model.safetensors.index.json");
    expect([...asked]).toEqual(expect.arrayContaining(["generation_config.json", "chat_template.jinja"]));
    const identities = [await identifyModel(directory)];
    for (const file of asked) {
      const path = join(directory, file);
      // White space at the end of a safetensors file would be refused; its last byte is a weight's.
      const bytes = await readFile(path).catch(() => Buffer.from(" "));
      bytes[bytes.length - 1]! ^= 1;
      await writeFile(path, bytes);
      identities.push(await identifyModel(directory));
    }
    expect(new Set(identities).size).toBe(asked.size + 1);
    await writeFile(join(directory, "README.md"), "other");
    await writeFile(join(directory, "other.safetensors"), "not read");
    expect(await identifyModel(directory)).toBe(identities.at(-1));
  } finally {
    device.destroy();
    await rm(root, { recursive: true });
  }
});
