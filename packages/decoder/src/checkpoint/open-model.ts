import type { Checkpoint, Folder } from "@lethe/tensor";
import { ConfigError } from "../errors.ts";
import type { WeightShapes } from "../pass/layout.ts";
import { readText } from "../text/read.ts";
import type { Text } from "../text/text.ts";
import type { DecoderConfig } from "./config.ts";
import { type FetchOptions, folderOf, type ModelPlace, openModelCheckpoint, readConfig } from "./directory.ts";
import type { WeightSources } from "./find-weights.ts";
import { readStopTokens } from "./generation-config.ts";
import { otherNames } from "./other-names.ts";
import { readingAhead } from "./reading-ahead.ts";
import { checkTied } from "./tied.ts";

/** How a model's directory is read. */
export interface OpenOptions extends FetchOptions {
  /** Is told what is odd about a checkpoint that loads all the same. Default: `console.warn`. */
  readonly warn?: (message: string) => void;
  /** The model's tokenizer. Default: the one that the directory's files make, if it has them. With `null` the model takes token ids alone. */
  readonly tokenizer?: Text | null;
}

/** What a family says of its models before there is one. */
interface FamilyOf<C extends DecoderConfig, I extends object> {
  config(raw: I, where?: string): C;
  shapes(config: C): WeightShapes;
  sources?(raw: object, config: C): WeightSources | undefined;
}

/** A model whose files are read and checked, but for its weights, which are in the open checkpoint. */
export interface OpenModel<C extends DecoderConfig, F> {
  readonly family: F;
  readonly config: C;
  readonly text: Text | undefined;
  readonly stopTokens: readonly number[];
  readonly origin: Folder;
  /** What to call it. */
  readonly label: string;
  readonly checkpoint: Checkpoint;
  readonly shapes: WeightShapes;
  /** Where the checkpoint keeps each weight, and the names of tensors that no weight needs and that are nothing odd. */
  readonly stored: { readonly sources: WeightSources; readonly ignore: readonly RegExp[] };
  /** Closes the files, and ends what is still on its way. */
  close(): Promise<void>;
}

/**
 * Opens a model's directory in Hugging Face's format: `config.json`, `model.safetensors` or its shards, `tokenizer.json`.
 * @param choose the family of a `config.json`; it is also given what to call that file in an error
 * @throws as `loadDecoder`, but that nothing is asked of a device
 */
export async function openModel<C extends DecoderConfig, I extends object, F extends FamilyOf<C, I>>(
  place: ModelPlace,
  choose: (config: Readonly<Record<string, unknown>>, where: string) => F,
  options: OpenOptions,
): Promise<OpenModel<C, F>> {
  const origin = await folderOf(place, options);
  const ending = new AbortController();
  const folder = readingAhead(origin, AbortSignal.any([ending.signal, ...(options.signal ? [options.signal] : [])]));
  // Over a network the small files are on their way meanwhile.
  const opening = openModelCheckpoint(folder);
  opening.catch(() => {});
  const close = async () => {
    ending.abort();
    await opening.then(
      (checkpoint) => checkpoint.close(),
      () => {},
    );
  };
  try {
    const raw = await readConfig(folder);
    const where = `${folder.name}: config.json`;
    const family = choose(raw, where);
    const config = family.config(raw as I, where);
    const { tokenizer, warn = console.warn } = options;
    const text = tokenizer === undefined ? await readText(folder) : (tokenizer ?? undefined);
    const stopTokens = await readStopTokens(folder, config, warn);
    const checkpoint = await opening;
    for (const warning of checkpoint.warnings) warn(warning);
    const [layers, tensors] = [config.num_hidden_layers, checkpoint.names().length];
    // What follows has entries for each layer.
    if (layers > tensors)
      throw new ConfigError(`${where}: num_hidden_layers is ${layers}, and the checkpoint holds ${tensors} tensors`);
    await checkTied(checkpoint, config, where);
    const shapes = family.shapes(config);
    const tied = config.tie_word_embeddings;
    const sources = family.sources?.(raw, config) ?? otherNames(checkpoint, shapes, tied);
    // Published checkpoints may hold tensors that Lethe computes, and an unembedding although it is tied to the embedding.
    const ignore = [/\.rotary_emb\.inv_freq$/, ...(tied ? [/^lm_head\.weight$/] : [])];
    const stored = { sources, ignore };
    return { family, config, text, stopTokens, origin, label: folder.name, checkpoint, shapes, stored, close };
  } catch (error) {
    await close();
    throw error;
  }
}
