import { loadConcepts } from "@lethe/unlearn/data/node";
import { describe, expect, it } from "vitest";
import { stemOf } from "../../src/cells/cell.ts";
import { runAudit } from "../../src/commands/audit/cli.ts";
import { studies } from "../../src/studies/list.ts";
import { FakeRunner } from "../fake-runner.ts";
import { printed } from "./printed.ts";
import { CONFIG, Workshop } from "./workshop.ts";

/** What the command prints, and its exit code. */
async function audit(...args: string[]) {
  const { texts, streams } = printed();
  const openRunner = async () => new FakeRunner();
  const code = await runAudit(args, { studies, openRunner, loadConcepts, ...streams });
  return { code, ...texts };
}

describe("npm run audit", () => {
  it("plans a cell for every concept and unlearned model, and no other", async () => {
    await using workshop = await Workshop.open();
    const [first, second] = [await workshop.addModel("first", "1"), await workshop.addModel("second", "2")];
    const args = [`--vanilla=${workshop.path("tiny-llama")}`, "--data", workshop.data, "--unlearned", first];
    const all = ["harry-potter", "netflix", "austria", "star-wars"].map((name) => `tiny-llama--${name}--first`);
    const cells = async (...more: string[]) => {
      const { code, out } = await audit(...args, "--list-cells", ...more);
      expect(code).toBe(0);
      return out.trim().split("\n").map(stemOf);
    };
    expect((await cells()).filter((id) => id.endsWith("--first"))).toEqual(all);
    expect(await cells("--unlearned", second, "--concept", "Netflix", "--prompt", "qa")).toEqual(
      expect.arrayContaining(["tiny-llama--netflix--first", "tiny-llama--netflix--second"]),
    );
  });

  it("refuses what does not belong together, and what is no option of it", async () => {
    await using workshop = await Workshop.open();
    const wide = await workshop.addModel("wide", "1", { ...CONFIG, hidden_size: 128 });
    const args = ["--vanilla", workshop.path("tiny-llama"), "--data", workshop.data];
    const { code, err } = await audit(...args, "--unlearned", wide);
    expect(code).toBe(78);
    expect(err).toMatch(/wide was not made from .*tiny-llama:\n {2}hidden_size is 128 in .*, and 64 in/);
    expect((await audit(...args)).err).toMatch(/required option '--unlearned <model>' not specified/);
    expect((await audit("--unlearned", wide)).err).toMatch(/required option '--vanilla <model>' not specified/);
    expect((await audit(...args, "--unlearned", wide, "--method", "npo")).err).toMatch(/unknown option '--method'/);
  });

  it("has the options of an experiment that say nothing of a training", async () => {
    await using workshop = await Workshop.open();
    const given = await workshop.addModel("first", "1");
    const args = ["--vanilla", workshop.path("tiny-llama"), "--data", workshop.data, "--unlearned", given];
    const { out } = await audit(...args, "--help");
    expect(out).toContain("--judge-threshold");
    expect(out).not.toContain("--rate");
  });
});
