import type { Folder } from "@lethe/tensor";
import { readJson, readString } from "../checkpoint/files.ts";
import { ModelError } from "../errors.ts";

/** The fields of a JSON file. */
export type Fields = Readonly<Record<string, unknown>>;

/** A token that is matched in a text as a whole. The field names are those of `tokenizer.json`. */
export interface AddedToken {
  readonly content: string;
  readonly special?: boolean;
  readonly normalized?: boolean;
  readonly single_word?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
}

/** The fields of `tokenizer.json` that Lethe reads. */
export interface TokenizerJson {
  readonly added_tokens?: readonly (AddedToken & { readonly id: number })[];
  readonly model: { readonly type?: string; readonly vocab: unknown; readonly merges?: unknown };
  readonly post_processor?: unknown;
}

/** The files of a directory that define its tokenizer. A missing file has no fields. */
export interface TokenizerFiles {
  /** Name of the directory, for errors. */
  readonly name: string;
  /** The text of `tokenizer.json`. */
  readonly source: string;
  readonly json: TokenizerJson;
  /** `tokenizer_config.json` */
  readonly config: Fields;
  /** `config.json`, of the model. */
  readonly model: Fields;
  /** `special_tokens_map.json` */
  readonly specialTokensMap: Fields;
  /** `added_tokens.json`: ids by token. */
  readonly addedTokens: Fields;
  /** `chat_template.jinja` */
  readonly chatTemplate: string | undefined;
}

/**
 * Reads a directory's tokenizer files; `undefined` when there is no `tokenizer.json`.
 * @throws {ModelError} when a file is broken
 */
export async function readTokenizerFiles(folder: Folder): Promise<TokenizerFiles | undefined> {
  const source = await readString(folder, "tokenizer.json");
  if (source === undefined) return undefined;
  const optional = async (file: string) => (await readJson(folder, file)) ?? {};
  return {
    name: folder.name,
    source,
    json: parse(folder.name, source),
    config: await optional("tokenizer_config.json"),
    model: await optional("config.json"),
    specialTokensMap: await optional("special_tokens_map.json"),
    addedTokens: await optional("added_tokens.json"),
    chatTemplate: await readString(folder, "chat_template.jinja"),
  };
}

/** The error for a `tokenizer.json` that cannot be used. */
export function brokenTokenizer(name: string, cause: unknown): ModelError {
  return new ModelError(
    `${name}: tokenizer.json cannot be read (${(cause as Error).message}). It may be cut short, or the pointer that Git LFS ` +
      "leaves in place of a file: download it again. Without a tokenizer.json the model loads and takes token ids.",
    { cause },
  );
}

function parse(name: string, source: string): TokenizerJson {
  try {
    const json = JSON.parse(source);
    if (!json?.model) throw new Error("it has no model");
    return json;
  } catch (cause) {
    throw brokenTokenizer(name, cause);
  }
}
