import { excerpt, type Folder, listed, parseJson } from "@lethe/tensor";
import { z } from "zod";
import { readJson, readString } from "../checkpoint/files.ts";
import { ModelError, schemaProblems } from "../errors.ts";

/** The fields of a JSON file. */
export type Fields = Readonly<Record<string, unknown>>;

const flag = z.boolean().optional();
/** A token that is matched in a text as a whole. The field names are those of `tokenizer.json`. */
export const addedToken = z.looseObject({
  content: z.string(),
  special: flag,
  normalized: flag,
  single_word: flag,
  lstrip: flag,
  rstrip: flag,
});
const id = z.int().min(0);
const anything = z.unknown().optional();
const extraTokens = {
  extra_special_tokens: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).nullish(),
  additional_special_tokens: z.array(z.unknown()).nullish(),
};

/** What Lethe reads of each file. Other fields are the native library's, or nobody's. */
const schemas = {
  "tokenizer.json": z.looseObject({
    added_tokens: z.array(addedToken.extend({ id })).nullish(),
    model: z.looseObject({ type: z.string().optional(), vocab: anything, merges: anything }),
    post_processor: anything,
  }),
  "tokenizer_config.json": z.looseObject({
    ...extraTokens,
    tokenizer_class: z.string().nullish(),
    add_prefix_space: z.boolean().nullish(),
    legacy: z.boolean().nullish(),
    split_special_tokens: z.boolean().nullish(),
    added_tokens_decoder: z.record(z.string().regex(/^\d{1,10}$/), addedToken).nullish(),
    chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish(),
  }),
  "special_tokens_map.json": z.looseObject(extraTokens),
  "added_tokens.json": z.record(z.string(), id),
};

export type AddedToken = Readonly<z.infer<typeof addedToken>>;

/** The fields of `tokenizer.json` that Lethe reads. */
export type TokenizerJson = Readonly<z.infer<(typeof schemas)["tokenizer.json"]>>;

/** The files of a directory that define its tokenizer. A missing file has no fields. */
export interface TokenizerFiles {
  /** Name of the directory, for errors. */
  readonly name: string;
  /** The text of `tokenizer.json`. */
  readonly source: string;
  readonly json: TokenizerJson;
  /** `tokenizer_config.json` */
  readonly config: Readonly<z.infer<(typeof schemas)["tokenizer_config.json"]>>;
  /** `config.json`, of the model. */
  readonly model: Fields;
  /** `special_tokens_map.json` */
  readonly specialTokensMap: Readonly<z.infer<(typeof schemas)["special_tokens_map.json"]>>;
  /** `added_tokens.json`: ids by token. */
  readonly addedTokens: Readonly<Record<string, number>>;
  /** `chat_template.jinja` */
  readonly chatTemplate: string | undefined;
}

/**
 * Reads a directory's tokenizer files; `undefined` when there is no `tokenizer.json`.
 * @throws {ModelError} when a file is broken
 */
export async function readTokenizerFiles(folder: Folder): Promise<TokenizerFiles | undefined> {
  const { name } = folder;
  const source = await readString(folder, "tokenizer.json");
  if (source === undefined) return undefined;
  const optional = async <F extends keyof typeof schemas>(file: F) =>
    checked(name, file, (await readJson(folder, file)) ?? {});
  return {
    name,
    source,
    json: parse(name, source),
    config: await optional("tokenizer_config.json"),
    model: (await readJson(folder, "config.json")) ?? {},
    specialTokensMap: await optional("special_tokens_map.json"),
    addedTokens: await optional("added_tokens.json"),
    chatTemplate: await readString(folder, "chat_template.jinja"),
  };
}

/** The error for a `tokenizer.json` that cannot be used. */
export function brokenTokenizer(name: string, cause: unknown): ModelError {
  return new ModelError(
    `${name}: tokenizer.json cannot be read (${excerpt((cause as Error).message)}). It may be cut short, or the pointer that Git LFS ` +
      "leaves in place of a file: download it again. Without a tokenizer.json the model loads and takes token ids.",
    { cause },
  );
}

function parse(name: string, source: string): TokenizerJson {
  let json: unknown;
  try {
    json = parseJson(source);
  } catch (cause) {
    throw brokenTokenizer(name, cause);
  }
  return checked(name, "tokenizer.json", json);
}

function checked<F extends keyof typeof schemas>(name: string, file: F, json: unknown): z.infer<(typeof schemas)[F]> {
  const { success, data, error } = schemas[file].safeParse(json);
  if (success) return data as z.infer<(typeof schemas)[F]>;
  const given = typeof json === "object" && json !== null ? json : {};
  const problems = listed(schemaProblems(error, given)).join("; ");
  if (file === "tokenizer.json") throw brokenTokenizer(name, new Error(problems));
  throw new ModelError(`${name}: ${file}: ${problems}`, { cause: error });
}
