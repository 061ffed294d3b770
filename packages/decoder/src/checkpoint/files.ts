import type { Folder } from "@lethe/tensor";
import { ModelError } from "../errors.ts";

/** Whether a folder has a file. */
export async function hasFile(folder: Folder, file: string): Promise<boolean> {
  const source = await folder.open(file);
  await source?.close?.();
  return source !== undefined;
}

/** Bytes of a file; `undefined` where there is none. */
export async function readBytes(folder: Folder, file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const source = await folder.open(file);
  try {
    return await source?.read(0, source.size);
  } finally {
    await source?.close?.();
  }
}

/** A file as UTF-8; `undefined` where there is none. */
export async function readString(folder: Folder, file: string): Promise<string | undefined> {
  const bytes = await readBytes(folder, file);
  return bytes && new TextDecoder().decode(bytes);
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
    value = JSON.parse(text);
  } catch (cause) {
    throw new ModelError(`${folder.name}: ${file} is not JSON (${(cause as Error).message})`, { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ModelError(`${folder.name}: ${file} holds ${text.slice(0, 40)}, expected a JSON object`);
}
