import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LlamaConfigInput, llama, llamaConfig } from "../../src/index.ts";

/** The words that a tensor begins and ends with: each two bf16 elements. */
export interface Ends {
  readonly first: number;
  readonly last: number;
}

export interface SparseCheckpoint {
  /** Bytes of each file. */
  readonly files: readonly number[];
  /** Each tensor's bytes and its ends. */
  readonly tensors: ReadonlyMap<string, Ends & { readonly bytes: number }>;
}

/**
 * Writes a LLaMA's checkpoint of bf16 zeros. The files are sparse and take no room on the disk: the norms are in one shard, the matrices in
 * another. Each tensor has its own first and last word.
 */
export async function writeSparseCheckpoint(directory: string, config: LlamaConfigInput): Promise<SparseCheckpoint> {
  const shapes = [...llama.shapes(llamaConfig(config))];
  const tensors = new Map(
    shapes.map(([name, shape], i) => {
      const bytes = shape.reduce((product, dim) => product * dim, 2);
      return [name, { bytes, first: 0x3f80_0001 + i, last: 0x4000_0001 + i }];
    }),
  );
  const weightMap: Record<string, string> = {};
  const files: number[] = [];
  for (const rank of [1, 2]) {
    const file = `model-0000${rank}-of-00002.safetensors`;
    const header: Record<string, object> = {};
    let end = 0;
    for (const [name, shape] of shapes) {
      if (shape.length !== rank) continue;
      const begin = end;
      end += tensors.get(name)!.bytes;
      header[name] = { dtype: "BF16", shape, data_offsets: [begin, end] };
      weightMap[name] = file;
    }
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    const handle = await open(join(directory, file), "w");
    let position = 0;
    const write = async (bytes: Uint8Array) => {
      await handle.write(bytes, 0, bytes.length, position);
      position += bytes.length;
    };
    await write(length);
    await write(json);
    for (const name of Object.keys(header)) {
      const { bytes, first, last } = tensors.get(name)!;
      const next = position + bytes;
      await write(wordOf(first));
      position = next - 4;
      await write(wordOf(last));
    }
    await handle.close();
    files.push(position);
  }
  await writeFile(join(directory, "config.json"), JSON.stringify(config));
  await writeFile(join(directory, "model.safetensors.index.json"), JSON.stringify({ weight_map: weightMap }));
  return { files, tensors };
}

function wordOf(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
