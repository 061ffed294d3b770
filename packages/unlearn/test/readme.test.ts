import { readFile } from "node:fs/promises";
import * as llama from "@lethe/llama";
import * as tensor from "@lethe/tensor";
import { transform } from "esbuild";
import { expect, test, vi } from "vitest";
import * as unlearn from "../src/index.ts";

const packages: Readonly<Record<string, object>> = {
  "@lethe/llama": llama,
  "@lethe/tensor": tensor,
  "@lethe/unlearn": unlearn,
};

/** The README's example, as a function of the options that it gives `unlearn`; what it prints of each step. */
async function runExample(change: (options: unlearn.UnlearnOptions) => unlearn.UnlearnOptions): Promise<number[]> {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = /^```ts\n([\s\S]*?)^```$/m.exec(readme)![1]!;
  const [imports] = /^(?:import [^;]* from "[^"]+";\n)+/.exec(example)!;
  const body = example.slice(imports.length);
  const { code } = await transform(`${imports}\nexport async function run() {\n${body}\n}`, {
    loader: "ts",
    format: "cjs",
    target: "es2022",
  });
  const losses: number[] = [];
  const changed: typeof unlearn.unlearn = async function* (model, options) {
    for await (const records of unlearn.unlearn(model, change(options))) {
      losses.push(...records.map(({ loss }) => loss));
      yield records;
    }
  };
  const require = (name: string) => ({ ...packages[name], ...(name === "@lethe/unlearn" && { unlearn: changed }) });
  const module = { exports: {} as { run(): Promise<void> } };
  new Function("require", "module", "exports", code)(require, module, module.exports);
  await module.exports.run();
  return losses;
}

test("the objective of the README's example has the losses of simnpo", async () => {
  const print = vi.spyOn(console, "log").mockImplementation(() => {});
  const own = await runExample((options) => options);
  const printed = print.mock.calls.flat().join("\n");
  expect(own).toHaveLength(10);
  expect(own.at(-1)).toBeLessThan(own[0]! - 1);
  for (const [i, loss] of own.entries()) expect(printed).toContain(`step ${i + 1}: loss ${loss.toFixed(3)}`);
  const options = { beta: 4.5, delta: 5, forgetWeight: 1 };
  const builtIn = await runExample(({ objective: _, ...rest }) => ({ ...rest, method: "simnpo", options }));
  for (const [i, loss] of builtIn.entries()) expect(Math.abs(own[i]! - loss)).toBeLessThan(1e-5);
  const other = await runExample(({ objective: _, ...rest }) => ({ ...rest, method: "simnpo" }));
  expect(Math.abs(own[0]! - other[0]!)).toBeGreaterThan(0.1);
});
