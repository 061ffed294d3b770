import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { FakeRunner } from "../fake-runner.ts";
import { run } from "./run-in-process.ts";
import { resultFiles, Workshop } from "./workshop.ts";

it("chooses a cell's numbers by a budget, says so, and keeps them for a resumed run", async () => {
  await using workshop = await Workshop.open();
  const out = workshop.path("out");
  const args = workshop.arguments("--out", out, "--method", "npo", "--concept", "Netflix", "--budget", "30s");
  const runner = new FakeRunner();
  const first = await run(args, runner);
  expect(first).toMatchObject({ code: 0, err: expect.stringContaining("a remark") });
  expect(runner).toMatchObject({ ran: ["tiny-llama--netflix--npo"], closed: 1 });
  expect(first.out).toMatch(
    /With all its numbers a cell takes 5\d s.*To fit --budget 30s it has \d+ steps .*: [23]\d s\.\n/,
  );
  const { choice } = JSON.parse(await readFile(join(out, "budget.json"), "utf8"));
  const files = await resultFiles(out);
  const [cell] = [...files.keys()].filter((name) => name.startsWith("cells/"));
  const { config } = JSON.parse(files.get(cell!)!);
  expect({
    epochs: config.subject.training.epochs,
    stepsPerEpoch: config.subject.training.stepsPerEpoch,
    targetQuestions: config.evaluation.targetQuestions,
    unrelatedQuestions: config.evaluation.unrelatedQuestions,
    studies: config.studies,
  }).toEqual(choice);
  const again = new FakeRunner();
  expect(await run([...args, "--resume"], again)).toMatchObject({ code: 0 });
  expect(again.ran).toEqual([]);
  expect(await resultFiles(out)).toEqual(files);
  const seeds = new FakeRunner();
  expect(await run([...args, "--resume", "--seed", "0", "--seed", "1"], seeds)).toMatchObject({ code: 0 });
  expect(seeds.ran).toEqual(["tiny-llama--netflix--npo"]);
  const other = await run([...args, "--resume", "--budget", "2m"]);
  expect(other).toMatchObject({
    code: 78,
    err: expect.stringMatching(/was begun with --budget 30s. Give the same one/),
  });
  const tooSmall = await run([...args, "--out", workshop.path("other"), "--budget", "3s"]);
  expect(tooSmall).toMatchObject({ code: 78, err: expect.stringMatching(/takes at least 1 minutes here/) });
  expect((await run([...args, "--budget", "soon"])).err).toMatch(/Expected a time such as 90s, 30m or 1h30m/);
});
