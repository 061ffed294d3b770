import { randomOf } from "@lethe/tensor";
import { track } from "@lethe/unlearn";
import { csvParse } from "d3-dsv";
import { describe, expect, it } from "vitest";
import type { UnpactOptions } from "../../src/studies/unpact/options.ts";
import { type AttributedWords, unpactSchema } from "../../src/studies/unpact/schema.ts";
import type { UnpactCell } from "../../src/studies/unpact/scores.ts";
import { unpact } from "../../src/studies/unpact/study.ts";
import { fakeResult } from "../fake-cell.ts";
import { type Fate, fakeUnpact } from "../fake-unpact.ts";

interface Wanted extends Fate {
  readonly method?: string;
  readonly model?: string;
  readonly options?: Partial<UnpactOptions>;
}

/** A made-up cell as the unPact study sees it. */
function fakeCell(
  concept: string,
  { method = "npo", model = "tiny-llama", options: given = {}, ...fate }: Wanted = {},
) {
  const { config, subject } = fakeResult(concept, method, model);
  const result = fakeUnpact(randomOf(`${concept} ${method} ${model}`), fate, given);
  return { config, subject, options: unpact.options.parse(given), result } satisfies UnpactCell;
}

function fakeNever(concept: string, wanted: Wanted = {}): UnpactCell {
  const cell = fakeCell(concept, wanted);
  return { ...cell, config: { ...cell.config, subject: { kind: "never" } as UnpactCell["config"]["subject"] } };
}

const vanillaOf = ({ vanilla }: AttributedWords) => vanilla.vanilla!;

const page = ({ summary, sections, limits }: Awaited<ReturnType<typeof unpact.sections>>) =>
  [summary, ...sections.map(({ title, body }) => ({ text: `${title}\n${body.text}` })), limits]
    .map(({ text }) => text)
    .join("\n");

describe("options of the unPact study", () => {
  it("have defaults, and refuse what there is not", () => {
    expect(unpact.options.parse({})).toMatchObject({ perturbation: "delete", answers: ["vanilla", "own"], alpha: 0.2 });
    for (const wrong of [
      { alpha: 1.5 },
      { templates: [] },
      { templates: ["shout"] },
      { answers: ["gold"] },
      { k: [0] },
    ])
      expect(unpact.options.safeParse(wrong).success).toBe(false);
  });
});

describe("an unPact result", () => {
  const { result } = fakeCell("Netflix");

  it("is whole: every list has an entry for each question, every word a contribution", () => {
    expect(unpactSchema.parse(result)).toEqual(result);
    const broken = (change: (copy: typeof result) => void) => {
      const copy = structuredClone(result);
      change(copy);
      return unpactSchema.safeParse(copy).error?.issues[0]?.message;
    };
    expect(broken(({ elicited }) => elicited[2]!.subject.pop())).toMatch(/entries for 4 target questions/);
    expect(broken(({ drawn }) => drawn.right.push(0))).toMatch(/entries for 4 target questions/);
    expect(broken(({ drawn }) => drawn.right.splice(3, 1, 5))).toMatch(/more drawn answers are right/);
    expect(broken(({ attributed }) => attributed.target[1]!.words.pop())).toMatch(/not every word of "Who <wrote> the/);
    expect(broken(({ compared }) => compared[0]!.scores[0]!.pop())).toMatch(/not every compared word/);
    expect(broken(({ epochs }) => epochs.push({ target: [], unrelated: [] }))).toMatch(/not every epoch has/);
    expect(broken(({ judged }) => judged.unrelated.splice(1))).toMatch(/more unrelated questions are attributed/);
  });

  it("is said in a few words, and in flat numbers", () => {
    expect(unpact.summary(result)).toBe("3 of 4 answers forgotten, of them back by focus 1, capitals 1");
    const metrics = unpact.metrics!(result);
    expect(metrics).toMatchObject({
      unpact_forgotten: 0.75,
      unpact_recovery_focus: 1 / 3,
      unpact_recovery_focus_other_words: 0,
      unpact_recovery_neutral: 0,
      unpact_recovery_role_another_concept: 0,
      unpact_destructive: 0.4,
      unpact_leak_at_1: (0.25 + 0.5 + 0.75) / 3,
      unpact_leak_at_4: 1,
    });
    expect(metrics.unpact_lost_content).toBeCloseTo(1.2, 9);
    expect(metrics.unpact_lost_common).toBeCloseTo(0.9, 9);
    expect(metrics.unpact_spearman_target).toBeGreaterThanOrEqual(-1);
  });

  it("leaves out of its numbers what has no value", () => {
    const { result } = fakeCell("Netflix", { remembered: 4, options: { samples: 0 } });
    const names = Object.keys(unpact.metrics!(result));
    expect(names.filter((name) => /recovery|leak/.test(name))).toEqual([]);
    expect(names).toContain("unpact_destructive");
  });
});

describe("the unPact study's sections", () => {
  const cells = [fakeCell("Netflix"), fakeCell("EBay"), fakeCell("Netflix", { method: "graddiff" })];

  it("show prompts before and after, with each number to be read and heard, and escape words", async () => {
    const text = page(await unpact.sections(cells));
    expect(text).not.toMatch(/<wrote>|<script>/);
    const { contributions } = cells[0]!.result.attributed.target[0]!.vanilla.vanilla!;
    const [first, second] = contributions
      .slice(0, 2)
      .map((value) => `${value > 0 ? "+" : ""}${value.toFixed(2)}`.replace("-", "−"));
    expect(text).toContain(`title="${first} nats`);
    expect(text).toMatch(new RegExp(`aria-label="In nats: Who ${first!.replace("+", "\\+")}`));
    expect(text).toMatch(/class="more-4 marked" title="\+[0-9.]+ nats, key word">&lt;wrote&gt;/);
    expect(text).toContain(`&lt;wrote&gt; ${second}`);
    // Both subjects of a concept stand below its vanilla model.
    expect(text).toMatch(/<th scope="row">vanilla<.*?<th scope="row">NPO<.*?<th scope="row">Gradient Difference</s);
  });

  it("have recovery rates with intervals, beside other words, a neutral suffix and other concepts", async () => {
    const { sections, summary } = await unpact.sections(cells);
    const recovery = sections.find(({ title }) => title.startsWith("Forgotten answers, asked"))!.body.text;
    // Six forgotten questions of two concepts, of which two come back.
    expect(recovery).toMatch(/>focus<.*?0\.33\s\[0\.10,\s0\.70\]\s2\/6/s);
    expect(recovery).toMatch(/>focus, other words<.*?0\.00\s\[0\.00,\s0\.39\]\s0\/6/s);
    expect(recovery).toMatch(/>neutral suffix<.*?>role, another concept</s);
    expect(recovery).toMatch(/other answers destroyed<.*?0\.40\s\[[^\]]*\]\s4\/10/s);
    // The vanilla model of each concept, once.
    expect(recovery).toMatch(/0\.75\s\[0\.41,\s0\.93\]\s6\/8/);
    expect(summary.text).toMatch(/tiny-llama · NPO<.*?6 of 8<.*?0\.33<.*?0\.00<.*?0\.00<.*?0\.40</s);
  });

  it("set controls beside, and say so where there is none", async () => {
    expect(page(await unpact.sections(cells))).toContain("No control of unlearning was measured.");
    const made = await unpact.sections([...cells, fakeNever("Netflix", { right: () => false })]);
    expect(page(made)).toContain("Read every rate beside its controls.");
    expect(made.files["figures/unpact-rates.svg"]).toContain("grey squares: never");
    expect(made.summary.text).toContain("Never trained on the concept");
  });

  it("have leak@k for the k that were asked for, and none where nothing was drawn", async () => {
    expect(page(await unpact.sections(cells))).toMatch(/<th[^>]*>leak@1<.*<th[^>]*>leak@2<.*<th[^>]*>leak@4</);
    const none = fakeCell("Netflix", { options: { samples: 0 } });
    expect(page(await unpact.sections([none]))).not.toContain("leak@");
  });

  it("have no agreement where no other attribution was computed", async () => {
    // Both cells of a concept have one vanilla model.
    expect(page(await unpact.sections(cells))).toMatch(/tiny-llama, 2 questions<.*integrated gradients/s);
    const none = fakeCell("Netflix", { options: { compare: { attributions: [], questions: 1 } } });
    expect(page(await unpact.sections([none]))).not.toContain("Do other attributions agree?");
  });

  it("show a report in which nothing was forgotten, and a word has no number", async () => {
    const made = await unpact.sections([fakeCell("Netflix", { remembered: 4, destroyed: 0 })]);
    expect(page(made)).not.toMatch(/NaN|undefined|null/);
    for (const file of Object.values(made.files)) expect(file).not.toMatch(/NaN|undefined/);
  });

  it("have the recovery of other α and β where it was swept", async () => {
    const swept = fakeCell("Netflix");
    expect(page(await unpact.sections([swept]))).toMatch(/was not measured: the study&#39;s option sweep/);
    const all = [0, 1, 2, 3, 4, 5];
    const subsets = Array.from({ length: 64 }, (_, bits) => all.filter((word) => bits & (1 << word)));
    const sets = subsets.map((words) => ({ words, right: words.length === 1 }));
    const result = { ...swept.result, swept: swept.result.swept.map(() => sets) };
    const text = page(await unpact.sections([{ ...swept, result }]));
    expect(text).toMatch(/<th[^>]*>recovered<.*0\.2, 4, max \(the study&#39;s\)<.*?\s\d\/3</s);
  });

  it("write every number", async () => {
    const { files } = await unpact.sections(cells);
    const words = csvParse(files["contributions.csv"]!);
    const own = words.filter(
      ({ concept, method, questions }) => concept === "EBay" && method === "npo" && questions === "target",
    );
    const wanted = cells[1]!.result.attributed.target;
    expect(own).toHaveLength(2 * wanted.flatMap(({ words }) => words).length);
    const row = own.find(({ question, answer, word }) => question === "3" && answer === "vanilla" && word === "1");
    expect(row).toMatchObject({
      text: "<wrote>",
      vanilla: `${wanted[3]!.vanilla.vanilla!.contributions[1]}`,
      subject: `${wanted[3]!.subject.vanilla!.contributions[1]}`,
    });
    // Its own answer to question 2 has no tokens.
    expect(own.find(({ question, answer }) => question === "2" && answer === "own")).toMatchObject({ subject: "" });
    const asked = csvParse(files["elicited.csv"]!);
    expect(asked).toHaveLength(3 * 4 * 7);
    expect(asked[0]).toMatchObject({
      question: "0",
      kind: "emphasis",
      prompt: "focus",
      before: "true",
      after: "true",
      subject: "",
    });
    const judged = csvParse(files["judged.csv"]!);
    expect(judged).toHaveLength(3 * (4 + 5));
    expect(judged[0]).toMatchObject({ judgedBy: "vanilla answer", drawn: "" });
    expect(judged[2]).toMatchObject({ judgedBy: "expected answer", drawn: "4", drawnRight: "2" });
    expect(csvParse(files["collapse.csv"]!)[0]).toMatchObject({ class: "content", from: "1", to: "4", tokens: "12" });
  });

  it("follow the key words epoch by epoch where that was asked for", async () => {
    const { files } = await unpact.sections(cells);
    expect(Object.keys(files)).not.toContain("tracking.csv");
    const { result, ...cell } = fakeCell("Netflix");
    const { target, unrelated } = result.attributed;
    // After the first epoch nothing has changed; after the second, the last, it is as the subject is.
    const epochs = [{ target: target.map(vanillaOf), unrelated: unrelated.map(vanillaOf) }];
    const made = await unpact.sections([...cells, { ...cell, result: { ...result, epochs } }]);
    expect(page(made)).toContain("Key words by epoch");
    const rows = csvParse(made.files["tracking.csv"]!);
    expect(rows).toHaveLength(3 * (target.length + unrelated.length));
    for (const { spearman, jaccard, shareLeft } of rows.filter(({ epoch }) => epoch !== "2"))
      for (const value of [spearman, jaccard, shareLeft]) expect(Number(value)).toBeCloseTo(1, 9);
    const last = rows.filter(({ epoch, questions }) => epoch === "2" && questions === "target");
    const { jaccard } = track(vanillaOf(target[0]!).contributions, target[0]!.subject.vanilla!.contributions);
    expect(last[0]).toMatchObject({ question: "0", jaccard: `${jaccard}` });
    expect(last.some(({ spearman }) => Number(spearman) < 1)).toBe(true);
  });

  it("show models whose cells asked in different ways by what they share", async () => {
    const fewer = fakeCell("Netflix", { model: "tiny-olmo", options: { templates: ["focus"], contexts: [] } });
    const text = page(await unpact.sections([...cells, fewer]));
    expect(text).toMatch(/tiny-olmo<.*?>focus<.*?>focus, other words<.*?>neutral suffix</s);
  });
});
