import type { Folder } from "@lethe/tensor";
import { readBytes, readJson } from "../directory.ts";
import { ModelError } from "../errors.ts";

type Json = Readonly<Record<string, unknown>>;

/** A token that is found in a text as a whole, by the field names of `tokenizer.json`. */
export interface AddedToken {
  readonly content: string;
  readonly special?: boolean;
  readonly normalized?: boolean;
  readonly single_word?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
}

/** What is used of `tokenizer.json`. */
export interface TokenizerJson {
  readonly added_tokens?: readonly (AddedToken & { readonly id: number })[];
  readonly model: { readonly type?: string; readonly vocab: unknown; readonly merges?: unknown };
  readonly post_processor?: unknown;
}

/** The files of a directory that say how text becomes tokens. A file that is not there is empty. */
export interface TokenizerFiles {
  /** Name of the directory, for errors. */
  readonly name: string;
  /** `tokenizer.json` as it is written. */
  readonly source: string;
  readonly json: TokenizerJson;
  /** `tokenizer_config.json` */
  readonly config: Json;
  /** `config.json`, of the model. */
  readonly model: Json;
  /** `special_tokens_map.json` */
  readonly specialTokensMap: Json;
  /** `added_tokens.json`: ids by token. */
  readonly addedTokens: Json;
  /** `chat_template.jinja` */
  readonly chatTemplate: string | undefined;
}

/**
 * Reads a directory's tokenizer; `undefined` where there is no `tokenizer.json`.
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

/** The one message for a `tokenizer.json` that cannot be used, whoever finds that out. */
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

async function readString(folder: Folder, file: string): Promise<string | undefined> {
  const bytes = await readBytes(folder, file);
  return bytes && new TextDecoder().decode(bytes);
}
