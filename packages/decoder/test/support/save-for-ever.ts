import { writeModel } from "../../src/checkpoint/disk.node.ts";

/** Saves one model after another into a directory, until it is killed. Every byte of one model is its number. */
const [directory] = process.argv.slice(2);
for (let number = 1; ; number = (number % 255) + 1) {
  const shards = [1, 2].map((shard) => ({
    file: `model-0000${shard}-of-00002.safetensors`,
    tensors: [
      {
        name: "t",
        dtype: "U8" as const,
        shape: [16 * 65_536],
        *data() {
          for (let i = 0; i < 16; i++) yield new Uint8Array(65_536).fill(number);
        },
      },
    ],
  }));
  await writeModel(directory!, shards, new Map([["config.json", new Uint8Array(8).fill(number)]]), () => true);
  process.send!(number);
}
