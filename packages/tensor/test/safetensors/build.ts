import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { SafetensorsError, type SafetensorsErrorKind } from "../../src/safetensors/index.ts";

/** A safetensors file with any header, also one that the writer would refuse. */
export function rawFile(header: unknown, dataBytes = 0): Uint8Array<ArrayBuffer> {
  const json =
    header instanceof Uint8Array
      ? header
      : new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  for (let i = 0; i < dataBytes; i++) file[8 + json.length + i] = i + 1;
  return file;
}

export function goldenPath(file: string): string {
  return fileURLToPath(new URL(`golden/${file}`, import.meta.url));
}

export function golden(file: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(goldenPath(file)));
}

/** Expects a `SafetensorsError` of this kind, whose message names the file, and returns it. */
export async function expectKind(kind: SafetensorsErrorKind, action: () => unknown): Promise<SafetensorsError> {
  const error = await Promise.resolve()
    .then(action)
    .then(
      () => expect.fail(`expected an error of kind ${kind}`),
      (caught) => caught,
    );
  if (!(error instanceof SafetensorsError)) throw error;
  expect(error.kind, error.message).toBe(kind);
  expect(error.message).toContain(error.file);
  expect(error.message).toContain(error.expected);
  return error;
}
