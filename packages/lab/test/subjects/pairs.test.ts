import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/cells/cell.ts";
import { studies } from "../../src/studies/list.ts";
import { controlsOf, isControl } from "../../src/subjects/controls.ts";
import { tinyModels } from "../../src/tiny/tiny-models.ts";
import { fakeConfig } from "../fake-cell.ts";

/** A cell with another subject in place of its own, or other fields. */
function control(of: ReturnType<typeof fakeConfig>, subject: object, more: object = {}) {
  return { config: configSchema(studies).parse({ ...of, subject, ...more }) };
}

const pretraining = { seed: 0, data: "d".repeat(64), recipe: tinyModels.llama.recipe };

describe("controlsOf", () => {
  const [graddiff, npo, netflix] = [
    fakeConfig("Harry Potter"),
    fakeConfig("Harry Potter", "npo"),
    fakeConfig("Netflix"),
  ].map((config) => ({ config })) as [Fake, Fake, Fake];
  type Fake = { config: ReturnType<typeof fakeConfig> };
  const { training } = graddiff.config.subject as never;
  const noise = [graddiff, npo, netflix].map(({ config }) =>
    control(config, { kind: "noise", matches: config.subject }),
  );
  const overwritten = control(graddiff.config, { kind: "overwritten", training, train: "all" });
  const never = control(graddiff.config, { kind: "never", pretraining });
  const all = [graddiff, npo, netflix, ...noise, overwritten, never];

  it("finds the noise of this very subject, and what is there once a concept", () => {
    expect(controlsOf(graddiff, all)).toEqual([noise[0], overwritten, never]);
    expect(controlsOf(npo, all)).toEqual([noise[1], overwritten, never]);
    expect(controlsOf(netflix, all)).toEqual([noise[2]]);
    expect(all.filter(isControl)).toEqual([...noise, overwritten, never]);
    for (const one of noise) expect(controlsOf(one, all)).toEqual([]);
  });

  it("holds apart seeds, where they decide, and questions", () => {
    const seed = { config: { ...graddiff.config, seed: 1 } };
    expect(controlsOf(seed, all)).toEqual([never]);
    const evaluation = { ...graddiff.config.evaluation, targetQuestions: 3 };
    expect(controlsOf({ config: { ...graddiff.config, evaluation } }, all)).toEqual([]);
  });
});
