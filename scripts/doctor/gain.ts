import { readFileSync } from "node:fs";

/** A result of `npm run bench --json`, as far as it is read here. */
interface Result {
  readonly rows: readonly { readonly name: string; readonly shape: string; readonly seconds: number }[];
}

const telling = [
  { row: "pass training step, tiny-llama", says: "tiny-llama trains" },
  { row: "pass decode, tiny-llama", says: "decodes" },
  { row: "pass sweep, tiny-llama", says: "is swept" },
] as const;

/** How many times as fast the passes of the main job run in one result as in another, in words. */
export function gainOver(fast: Result, slow: Result): string {
  const said = telling.flatMap(({ row, says }) => {
    const seconds = ({ rows }: Result) => rows.find(({ name, shape }) => `${name}, ${shape}`.startsWith(row))?.seconds;
    const [few, many] = [seconds(fast), seconds(slow)];
    return few && many ? [`${says} ${(many / few).toFixed(1)} times as fast`] : [];
  });
  return said.join(", ");
}

/** What Mesa's software adapter gained over SwiftShader in the results that the repository keeps. */
export function recordedGain(): string {
  const read = (name: string) =>
    JSON.parse(readFileSync(new URL(`../../bench/results/${name}.json`, import.meta.url), "utf8")) as Result;
  return gainOver(read("mesa-llvmpipe"), read("swiftshader"));
}
