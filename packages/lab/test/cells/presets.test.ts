import { methods } from "@lethe/unlearn";
import { expect, it } from "vitest";
import { presets } from "../../src/cells/presets.ts";
import { studies } from "../../src/studies/list.ts";

it("presets ask for the paper's questions and answers", () => {
  expect(presets.paper).toMatchObject({
    concepts: "all",
    epochs: 10,
    evaluation: { targetQuestions: 10, unrelatedQuestions: 50, maxAnswerTokens: 30 },
  });
  expect(presets.paper.seeds).toEqual([0, 1, 2]);
  expect(presets.paper.subjects.unlearned).toEqual(["dpo", "npo", "npo+kl", "graddiff"]);
  expect(presets.smoke.concepts.length).toBe(1);
  const figure1 = ["m", "W_V", "A", "m+A"];
  expect(presets.smoke.studyOptions).toEqual({ restoration: { settings: figure1 } });
  expect(presets.paper.studyOptions).toMatchObject({
    restoration: { settings: [...figure1, "m-isolated", "W_V-isolated", "A-isolated"] },
    unpact: { templates: ["focus", "repeat", "quote", "capitals"], targetQuestions: 10 },
  });
  expect([presets.smoke.seeds, presets.default.seeds]).toEqual([[0], [0]]);
});

it("presets ask for studies that there are, with options that they have", () => {
  for (const preset of Object.values(presets)) {
    expect(studies.map(({ name }) => name)).toEqual(expect.arrayContaining([...preset.studies]));
    expect(preset.studies).toEqual(expect.arrayContaining(Object.keys(preset.studyOptions)));
    for (const { name, options } of studies) options.parse(preset.studyOptions[name] ?? {});
  }
});

it("presets ask for methods that there are", () => {
  const known = methods.map(({ name }) => name);
  for (const { subjects } of Object.values(presets))
    expect(known).toEqual(expect.arrayContaining(subjects.unlearned as []));
});
