import type { Decoder, ModelPlace } from "@lethe/decoder";

/** A place for models that are trained from scratch, so that other cells find them. */
export interface PretrainedStore {
  /** Where the model of a key is, `undefined` where there is none yet. */
  find(key: string): Promise<ModelPlace | undefined>;
  /**
   * Keeps a model.
   * @param tokenizer where its tokenizer's files are
   * @returns where it is now
   */
  save(key: string, model: Decoder, tokenizer: ModelPlace): Promise<ModelPlace>;
}
