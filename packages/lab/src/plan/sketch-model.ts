import { supportedFamily } from "@lethe/auto";
import {
  type Decoder,
  type DecoderConfig,
  folderOf,
  ModelError,
  type ModelPlace,
  openModelCheckpoint,
  readConfig,
  readText,
} from "@lethe/decoder";
import { type Checkpoint, type Device, type FloatDType, type Folder, LetheError } from "@lethe/tensor";

/** The dtypes on the device of what a file holds. */
const STORED: Readonly<Record<string, FloatDType>> = { F64: "f32", F32: "f32", F16: "f16", BF16: "bf16" };

/** What `config.json` calls them. */
const NAMED: Readonly<Record<string, FloatDType>> = { float32: "f32", float16: "f16", bfloat16: "bf16" };

/**
 * A model as far as it can be planned: its shape, its tokenizer where it has one, and no weights. Of the files of its weights only the headers
 * are read; where there are none, `config.json` says their dtype. Nothing is downloaded. The model belongs to the caller, who disposes of it.
 * @param device of `sketchDevice`: on another one the weights would take their memory
 * @throws {ModelError} when there is no model
 * @throws {ConfigError} when a field of `config.json` is wrong or not supported
 */
export async function sketchModel(device: Device, place: ModelPlace): Promise<Decoder> {
  const folder = await folderOf(place, { download: false });
  const raw = await readConfig(folder);
  const where = `${folder.name}: config.json`;
  const family = supportedFamily(raw, where);
  const config = family.config(raw, where);
  const text = await readText(folder);
  return family.blank(device, config, await dtypesOf(folder, config), { text, label: folder.name });
}

/** The dtype of each weight. Where a checkpoint has other names, all weights have the dtype that most of its bytes have. */
async function dtypesOf(folder: Folder, config: DecoderConfig): Promise<(name: string) => FloatDType> {
  const checkpoint = await openModelCheckpoint(folder).catch((error) => {
    if (error instanceof ModelError) return undefined;
    throw error;
  });
  if (!checkpoint) {
    const { dtype, torch_dtype: older } = config as { dtype?: unknown; torch_dtype?: unknown };
    const named = NAMED[String(dtype ?? older)];
    const known = Object.keys(NAMED).join(", ");
    if (!named)
      throw new LetheError(
        `${folder.name}: there are no weights, and config.json does not say their dtype. Add "torch_dtype", one of ${known}.`,
      );
    return () => named;
  }
  try {
    const usual = mostBytes(checkpoint);
    const stored = new Map(checkpoint.names().map((name) => [name, STORED[checkpoint.info(name).dtype]]));
    return (name) => stored.get(name) ?? usual;
  } finally {
    await checkpoint.close();
  }
}

function mostBytes(checkpoint: Checkpoint): FloatDType {
  const totals = new Map<FloatDType, number>();
  for (const name of checkpoint.names()) {
    const { dtype, bytes } = checkpoint.info(name);
    const known = STORED[dtype];
    if (known) totals.set(known, (totals.get(known) ?? 0) + bytes);
  }
  return [...totals].sort(([, a], [, b]) => b - a)[0]?.[0] ?? "f32";
}
