import { existsSync, readFileSync } from "node:fs";
import type { Device, Dispatch, Tensor } from "@lethe/tensor";
import { expect } from "vitest";

const kernels = new URL("../../../kernels/", import.meta.url);

/** A kernel's text with what it includes, each file once. */
function textOf(kernel: string): string {
  const seen = new Set<string>();
  const expand = (file: string): string => {
    if (seen.has(file)) return "";
    seen.add(file);
    const text = readFileSync(new URL(file, kernels), "utf8");
    return text.replace(/^\/\/! include (\S+)$/gm, (_, inner: string) => expand(inner));
  };
  return expand(`${kernel}.wgsl`);
}

/** Arrays by their kernels' names and their own; the place is where accesses past their ends are counted. */
const slots: string[] = [];

/** The most arrays, of all kernels. */
const mostSlots = 1024;

/** How arrays are declared, and what says how long they are. */
const declarations: readonly (readonly [RegExp, (name: string, size: string) => string])[] = [
  [/var<storage[^>]*>\s+(\w+)\s*:\s*array<()/g, (name) => `arrayLength(&${name})`],
  [/var(?:<workgroup>)?\s+(\w+)\s*:\s*array<\w+,\s*([^>]+)>/g, (_, size) => `u32(${size})`],
];

/** A kernel's text that counts in `outside` how often it reads or writes past the end of an array. */
function watched(kernel: string): string {
  let text = textOf(kernel).replace(/\/\/(?!!).*$/gm, "");
  for (const [declaration, lengthOf] of declarations)
    for (const [, name, size] of [...text.matchAll(declaration)]) {
      const slot = slots.push(`${kernel}: ${name}`) - 1;
      text = indexed(text, name!, (index) => `within_array(u32(${index}), ${lengthOf(name!, size!)}, ${slot}u)`);
    }
  const enables = text.match(/^enable .*;$/gm) ?? [];
  return `${enables.join("\n")}
@group(0) @binding(31) var<storage, read_write> outside: array<atomic<u32>>;
fn within_array(index: u32, length: u32, slot: u32) -> u32 {
  if (index < length) { return index; }
  atomicAdd(&outside[slot], 1u);
  return length - 1u;
}
${text.replace(/^enable .*;$/gm, "")}`;
}

/** The text with every index of an array replaced. */
function indexed(text: string, name: string, replace: (index: string) => string): string {
  const start = new RegExp(`(?<![.\\w])${name}\\[`, "g");
  let [made, at] = ["", 0];
  for (let match = start.exec(text); match; match = start.exec(text)) {
    let [depth, end] = [1, start.lastIndex];
    for (; depth > 0; end++) depth += Number(text[end] === "[") - Number(text[end] === "]");
    const index = indexed(text.slice(start.lastIndex, end - 1), name, replace);
    made += `${text.slice(at, start.lastIndex)}${replace(index)}`;
    at = end - 1;
    start.lastIndex = end;
  }
  return made + text.slice(at);
}

/**
 * Counts from now on whenever one of the kernels reads or writes past the end of an array: on SwiftShader nothing else would notice. Its
 * dispatches run a changed text of the kernel, which counts and then takes the last element.
 * @returns what fails when that happened
 */
export function watchBounds(device: Device): () => Promise<void> {
  const known = new Set<string>();
  const outside: Tensor = device.lasting([mostSlots], "u32", "accesses outside");
  device.writeBytes(outside, 0, new Uint8Array(outside.bytes));
  device.dispatch = (call: Dispatch) => {
    const run = Object.getPrototypeOf(device).dispatch as Device["dispatch"];
    // A kernel of a test's own.
    if (!existsSync(new URL(`${call.kernel}.wgsl`, kernels))) return run.call(device, call);
    const kernel = `${call.kernel}, watched`;
    if (!known.has(kernel)) device.addKernel(kernel, watched(call.kernel));
    known.add(kernel);
    run.call(device, { ...call, kernel, bindings: { ...call.bindings, outside } });
  };
  return async () => {
    const counts = [...((await outside.read()) as Uint32Array)];
    const found = slots.flatMap((slot, i) => (counts[i]! > 0 ? [`${slot} ${counts[i]} times`] : []));
    outside.dispose();
    expect(found, "accesses past the end of an array").toEqual([]);
  };
}
