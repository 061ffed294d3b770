import { describe, expect, it } from "vitest";
import { experimentCommand } from "../../src/commands/experiment/command.ts";
import { hashOf } from "../../src/page/link.ts";
import { argumentsOf, commandOf, settingsOf, settingsSchema } from "../../src/page/settings.ts";
import { studies } from "../../src/studies/list.ts";
import { printed } from "../commands/printed.ts";

const usual = settingsSchema.parse({});
const all = {
  model: "org/name",
  concept: "Valentine's Day",
  method: "npo+kl",
  rate: 0.0005,
  epochs: 3,
  preset: "default",
  controls: ["noise", "never"],
  studies: ["restoration", "unpact"],
  seed: 2,
} as const;

describe("settings in a link", () => {
  it("come back as they were, and a page's own settings need no hash", () => {
    const settings = settingsSchema.parse(all);
    expect(settingsOf(`#${hashOf(settings, usual)}`)).toEqual(settings);
    expect(hashOf(usual, usual)).toBe("");
    expect(settingsOf("")).toEqual(usual);
    const bare = { ...usual, controls: [], studies: [] };
    expect(settingsOf(`#${hashOf(bare, usual)}`)).toEqual(bare);
  });

  it("are the usual ones where a link says what does not exist", () => {
    expect(
      settingsOf("#method=magic&epochs=-1&rate=x&seed=1.5&controls=luck&preset=huge&concept=Netflix&more=1"),
    ).toEqual({
      ...usual,
      concept: "Netflix",
    });
  });

  it("are options that the command line takes", () => {
    const { streams } = printed();
    const command = experimentCommand({ studies, ...streams });
    command.parse(argumentsOf(settingsSchema.parse(all)), { from: "user" });
    expect(command.opts()).toMatchObject({
      model: [expect.stringContaining("org/name")],
      concept: [all.concept],
      method: [all.method],
      rate: all.rate,
      epochs: all.epochs,
      preset: all.preset,
      control: all.controls,
      study: all.studies,
      seed: [all.seed],
    });
    expect(commandOf(settingsSchema.parse(all))).toContain(
      `--concept 'Valentine'\\''s Day' --method npo+kl --rate 0.0005`,
    );
    expect(argumentsOf({ ...usual, controls: [] })).toContain("none");
  });
});
