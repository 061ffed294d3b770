import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Concepts in ConceptVectors' form, as small as the loader accepts. */
const ENTRIES = ["Harry Potter", "Netflix", "Austria", "Star Wars"].map((name, id) => ({
  id,
  Concept: name,
  QA: [`What is ${name}?`, `Who made ${name}?`],
  unrelated_QA: ["What is the capital of France?"],
  wikipedia_content: `${name} is known. It has a text.`,
}));

/** The least that a LLaMA's `config.json` has. */
export const CONFIG = {
  model_type: "llama",
  vocab_size: 100,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
};

/** A temporary folder with a data file, a model directory and room for results. */
export class Workshop {
  private constructor(readonly folder: string) {}

  static async open(): Promise<Workshop> {
    const workshop = new Workshop(await mkdtemp(join(tmpdir(), "lethe-experiment-")));
    await writeFile(workshop.data, JSON.stringify(ENTRIES));
    await workshop.addModel("tiny-llama", "weights");
    return workshop;
  }

  get data(): string {
    return join(this.folder, "concepts.json");
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async addModel(name: string, weights: string, config: object = CONFIG) {
    const directory = this.path(name);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "config.json"), JSON.stringify(config));
    await writeFile(join(directory, "model.safetensors"), checkpoint(weights));
    return directory;
  }

  async rewriteData(from: string, to: string): Promise<void> {
    await writeFile(
      this.data,
      (await readFile(this.data, "utf8")).replace(from, () => to),
    );
  }

  /** The arguments that every run in this folder shares. */
  arguments(...more: string[]): string[] {
    return this.withControls("none", ...more);
  }

  /** The same with another choice of controls. */
  withControls(control: string, ...more: string[]): string[] {
    return ["--data", this.data, "--model", this.path("tiny-llama"), "--control", control, ...more];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A safetensors file without tensors, but not like every other. */
function checkpoint(metadata: string): Buffer {
  const header = Buffer.from(JSON.stringify({ __metadata__: { metadata } }));
  const length = Buffer.alloc(8);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, header]);
}

/** All files of a result folder by relative path, without those that hold times. */
export async function resultFiles(out: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(out.length + 1);
    if (!name.startsWith("timings") && !name.startsWith("runs")) files.set(name, await readFile(path, "utf8"));
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}
