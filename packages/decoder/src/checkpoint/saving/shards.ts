/** One file of a checkpoint, and its tensors. */
export interface ShardToWrite<T> {
  readonly file: string;
  readonly tensors: readonly T[];
}

/**
 * Distributes a checkpoint's tensors, in their order, over files of at most `maxBytes` of data. A larger tensor has its own file. The
 * files have Hugging Face's names.
 */
export function splitIntoShards<T extends { readonly bytes: number }>(
  tensors: Iterable<T>,
  maxBytes: number,
): ShardToWrite<T>[] {
  const shards: { bytes: number; tensors: T[] }[] = [];
  for (const tensor of tensors) {
    const last = shards.at(-1);
    if (last && last.bytes + tensor.bytes <= maxBytes) {
      last.tensors.push(tensor);
      last.bytes += tensor.bytes;
    } else shards.push({ tensors: [tensor], bytes: tensor.bytes });
  }
  if (shards.length === 1) return [{ file: "model.safetensors", tensors: shards[0]!.tensors }];
  const number = (n: number) => String(n).padStart(5, "0");
  return shards.map(({ tensors }, i) => ({
    file: `model-${number(i + 1)}-of-${number(shards.length)}.safetensors`,
    tensors,
  }));
}

/** The text of `model.safetensors.index.json`. */
export function shardIndex(shards: readonly ShardToWrite<{ readonly name: string; readonly bytes: number }>[]): string {
  const located = shards.flatMap(({ file, tensors }) => tensors.map(({ name, bytes }) => ({ name, bytes, file })));
  const index = {
    metadata: { total_size: located.reduce((sum, { bytes }) => sum + bytes, 0) },
    weight_map: Object.fromEntries(located.map(({ name, file }) => [name, file])),
  };
  return `${JSON.stringify(index, null, 2)}\n`;
}
