import { type Folder, parseJson, readWhole, readWholeText } from "@lethe/tensor";
import { ModelError } from "../errors.ts";

/** Files that belong to a tokenizer and go with a model when it is saved. */
export const tokenizerFiles = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "tokenizer.model",
  "vocab.json",
  "merges.txt",
  "chat_template.jinja",
] as const;

/** Whether a folder has a file. */
export async function hasFile(folder: Folder, file: string): Promise<boolean> {
  const source = await folder.open(file);
  await source?.close?.();
  return source !== undefined;
}

/** Bytes of a file of at most 64 MiB; `undefined` where there is none. */
export async function readBytes(folder: Folder, file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const source = await folder.open(file);
  return source && readWhole(source);
}

/** A file as UTF-8; `undefined` where there is none. A byte-order mark is left out. @throws {SafetensorsError} as `readWholeText` */
export async function readString(folder: Folder, file: string): Promise<string | undefined> {
  const source = await folder.open(file);
  return source && readWholeText(source);
}

/**
 * A file's JSON object; `undefined` where there is no such file.
 * @throws {ModelError} when it is not a JSON object.
 */
export async function readJson(folder: Folder, file: string): Promise<Record<string, unknown> | undefined> {
  const text = await readString(folder, file);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new ModelError(`${folder.name}: ${file} is not JSON (${(cause as Error).message})`, { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ModelError(`${folder.name}: ${file} holds ${text.slice(0, 40)}, expected a JSON object`);
}
