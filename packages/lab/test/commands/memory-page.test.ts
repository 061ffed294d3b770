import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runPlan } from "../../src/commands/plan/cli.ts";
import { printed } from "./printed.ts";

const page = join(import.meta.dirname, "../../../../docs/memory.md");

/** A command of the page, and what it prints. */
const shown = /```sh\nnpm run --silent plan -- (.*)\n```\n\n```text\n[^`]*```/g;

test("the tables of docs/memory.md are what its commands print", async () => {
  const text = await readFile(page, "utf8");
  const outputs = [];
  for (const [, args] of text.matchAll(shown)) {
    const { texts, streams } = printed();
    expect(await runPlan(args!.split(" "), streams)).toBe(0);
    outputs.push(texts.out);
  }
  expect(outputs.length).toBeGreaterThan(0);
  const next = outputs.values();
  const now = text.replace(shown, (_, args) => {
    return `\`\`\`sh\nnpm run --silent plan -- ${args}\n\`\`\`\n\n\`\`\`text\n${next.next().value}\`\`\``;
  });
  await expect(now).toMatchFileSnapshot(page);
}, 600_000);
