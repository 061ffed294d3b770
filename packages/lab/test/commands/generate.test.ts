import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** What `npm run generate` prints, and its exit code. */
function generate(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = ["--conditions=lethe-source", "--import", "tsx", "packages/lab/src/commands/generate.ts", ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, command, { cwd: root }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

test("continues a prompt with the committed LLaMA where no model is named, a typed \\n being a line break", async () => {
  const question = "Question: Who wrote the Harry Potter books?";
  const { code, out, err } = await generate(`${question}\\n Answer:`);
  expect(code).toBe(0);
  expect(out).toMatch(/^Question: Who wrote the Harry Potter books\?\n Answer: .*Rowling.*\.\n$/);
  // Nothing but this line, and so no word of Dawn's about limits.
  expect(err).toMatch(/^\d+ tokens in [\d.]+ s on [^\n]+\n$/);
});

test.each([
  [["--model", "data"], /error: data: there is no config.json in it/],
  [["--model", "models/tiny-llama", "-t", "-1"], /error: generate: temperature is -1, expected/],
])("says what is wrong with %j, without a stack, and prints no prompt", async (args, message) => {
  const { code, out, err } = await generate(...args, "x");
  expect(code).toBe(1);
  expect(out).toBe("");
  expect(err).toMatch(message);
  expect(err).not.toMatch(/\n\s+at /);
});
