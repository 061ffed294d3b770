import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireBelonging } from "../../src/subjects/belonging.ts";

const models = join(import.meta.dirname, "../../../../models");
const vanilla = join(models, "tiny-llama");

describe("requireBelonging", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lethe-belonging-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** A copy of the tiny LLaMA without its weights, one of whose files is changed. */
  async function changed<T>(file: string, change: (content: T) => T): Promise<string> {
    const copy = await mkdtemp(join(folder, "model-"));
    for (const name of ["config.json", "tokenizer.json"]) await cp(join(vanilla, name), join(copy, name));
    const path = join(copy, file);
    await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, "utf8")))));
    return copy;
  }
  const config = (fields: object) => changed<object>("config.json", (before) => ({ ...before, ...fields }));
  interface TokenizerFile {
    added_tokens: object[];
    model: { vocab: Record<string, number>; merges: (string | string[])[] };
  }
  const tokenizer = (change: (file: TokenizerFile) => void) =>
    changed<TokenizerFile>("tokenizer.json", (file) => {
      change(file);
      return file;
    });

  it("accepts what says the same in other words, or decides nothing of what is computed", async () => {
    await requireBelonging(vanilla, vanilla);
    const [rope_theta, max_position_embeddings] = [undefined, 1024];
    const renamed = {
      rope_theta,
      rope_parameters: { rope_theta: 10_000, rope_type: "default" },
      max_position_embeddings,
    };
    await requireBelonging(vanilla, await config({ ...renamed, tie_word_embeddings: true, torch_dtype: "bfloat16" }));
    const rewritten = await tokenizer(({ model, added_tokens }) => {
      model.merges = model.merges.map((merge) => (Array.isArray(merge) ? merge.join(" ") : merge.split(" ")));
      added_tokens.push({ id: 1536, content: "[PAD]", special: true });
    });
    await requireBelonging(vanilla, rewritten);
    await rm(join(rewritten, "tokenizer.json"));
    await requireBelonging(vanilla, rewritten);
  });

  it.each([
    [
      { hidden_size: 128, head_dim: 32 },
      /\n {2}hidden_size is 128 in .*, and 64 in .*\n {2}head_dim is 32 in .*, and 16 in/,
    ],
    [{ num_hidden_layers: 11 }, /num_hidden_layers is 11 in .*, and 12 in/],
    [{ num_key_value_heads: 2 }, /num_key_value_heads is 2 in .*, and 4 in/],
    [{ vocab_size: 1537 }, /vocab_size is 1537 in .*, and 1536 in/],
    [{ rope_theta: 500_000 }, /rope_theta is 500000 in .*, and 10000 in/],
    [
      { rope_scaling: { type: "linear", factor: 2 } },
      /rope_type is "linear" in .*, and "default" in .*\n {2}rope_scaling.factor is 2 in .*, and absent/,
    ],
    [{ rms_norm_eps: 1e-6 }, /rms_norm_eps is 0.000001 in .*, and 0.00001 in/],
    [{ mlp_bias: true }, /mlp_bias is true in .*, and false in/],
  ])("refuses another config with %j", async (fields, message) => {
    await expect(requireBelonging(vanilla, await config(fields))).rejects.toThrow(message);
  });

  it("refuses another tokenizer of the same size", async () => {
    const swapped = await tokenizer(({ model: { vocab } }) => {
      const [[one, at], [other, place]] = Object.entries(vocab).slice(-2) as [[string, number], [string, number]];
      Object.assign(vocab, { [one]: place, [other]: at });
    });
    await expect(requireBelonging(vanilla, swapped)).rejects.toThrow(
      /was not made from .*\n {2}token \d+ of tokenizer.json is ".*" in/,
    );
    const reordered = await tokenizer(({ model: { merges } }) => {
      merges.push(merges.splice(5, 1)[0]!);
    });
    await expect(requireBelonging(vanilla, reordered)).rejects.toThrow(/merge 5 of tokenizer.json is ".* .*" in/);
    const shorter = await tokenizer(({ model: { vocab } }) => {
      delete vocab[Object.keys(vocab).at(-1)!];
    });
    await expect(requireBelonging(vanilla, shorter)).rejects.toThrow(/token \d+ of tokenizer.json is absent in/);
  });

  it("names each difference to another family once", async () => {
    const refused = await requireBelonging(vanilla, join(models, "tiny-olmo")).catch((error: Error) => error.message);
    expect(refused).toMatch(/model_type is "olmo" in .*tiny-olmo, and "llama" in .*tiny-llama/);
    expect((refused as string).match(/model_type/g)).toHaveLength(1);
  });
});
