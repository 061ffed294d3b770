import type { Folder } from "@lethe/tensor";
import { z } from "zod";
import { configError, schemaProblems } from "../errors.ts";
import { type DecoderConfig, type FieldChoices, tokenIds, unsupportedFields } from "./config.ts";
import { readJson } from "./files.ts";

const schema = z.object({ eos_token_id: tokenIds });

/** Fields by which `transformers` chooses other tokens than the likeliest, also where it does not sample: each with what changes nothing. */
const choices: FieldChoices = {
  num_beams: { supported: [1, null] },
  repetition_penalty: { supported: [1, null] },
  no_repeat_ngram_size: { supported: [0, null] },
  min_length: { supported: [0, null] },
  min_new_tokens: { supported: [null, 0] },
  bad_words_ids: { supported: [null] },
  sequence_bias: { supported: [null] },
  suppress_tokens: { supported: [null] },
  begin_suppress_tokens: { supported: [null] },
  forced_bos_token_id: { supported: [null] },
  forced_eos_token_id: { supported: [null] },
  exponential_decay_length_penalty: { supported: [null] },
  guidance_scale: { supported: [null, 1] },
  stop_strings: { supported: [null] },
};

/**
 * Tokens that end a generation, by the rules of `transformers` 5.23: those of `generation_config.json`. Only where there is no such file,
 * those of `config.json`: a file that names none means that generation runs on.
 * @param warn is told of fields that `transformers` follows and Lethe does not
 * @throws {ConfigError} when a token id is not a whole number
 */
export async function readStopTokens(
  folder: Folder,
  config: Pick<DecoderConfig, "eos_token_id">,
  warn?: (message: string) => void,
): Promise<number[]> {
  const generation = await readJson(folder, "generation_config.json");
  const fields = generation ?? { eos_token_id: config.eos_token_id };
  const where = `${folder.name}: ${generation ? "generation_config.json" : "config.json"}`;
  const { data, error } = schema.safeParse(fields);
  if (error) throw configError(where, schemaProblems(error, fields));
  const ignored = [...unsupportedFields(fields, choices)];
  if (ignored.length > 0) warn?.(`${where}: fields that Lethe ignores:\n  ${ignored.join("\n  ")}`);
  return [data.eos_token_id ?? []].flat();
}
