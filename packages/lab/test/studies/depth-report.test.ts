import { randomOf } from "@lethe/tensor";
import { csvParse } from "d3-dsv";
import { describe, expect, it } from "vitest";
import { depthSchema } from "../../src/studies/depth/schema.ts";
import { type DepthCell, depthScoreOf, dropsOf, neverOf } from "../../src/studies/depth/scores.ts";
import { sections } from "../../src/studies/depth/sections.ts";
import { depth } from "../../src/studies/depth/study.ts";
import { fakeDepth, fakeResult } from "../fake-cell.ts";

/** A made-up cell as the depth study sees it. @param loss what its answers lose, about, after the last layer */
function fakeCell(concept: string, { method = "npo", model = "tiny-llama", loss = 1, seed = 0 } = {}): DepthCell {
  const { config, subject } = fakeResult(concept, method, model);
  const result = fakeDepth(randomOf(`${concept} ${method} ${model} ${loss}`), loss);
  return { config: { ...config, seed }, subject, options: depth.options.parse({}) as DepthCell["options"], result };
}

function fakeNever(concept: string, options: Parameters<typeof fakeCell>[1] = {}): DepthCell {
  const cell = fakeCell(concept, { loss: 4, ...options });
  return { ...cell, config: { ...cell.config, subject: { kind: "never" } as DepthCell["config"]["subject"] } };
}

/** The same cell, patched after every other layer. */
function sparse({ options, result, ...cell }: DepthCell): DepthCell {
  const kept = <T>(list: readonly T[]) => list.filter((_, i) => i % 2 === 0);
  const some = (kind: "target" | "unrelated") => ({ ...result[kind], patched: kept(result[kind].patched) });
  const fewer = { ...result, layers: kept(result.layers), target: some("target"), unrelated: some("unrelated") };
  return { ...cell, options: { ...options, layerStride: 2 }, result: fewer };
}

describe("a depth result", () => {
  it("is whole: every layer of every question", () => {
    const { result } = fakeCell("Netflix");
    expect(depthSchema.safeParse(result).success).toBe(true);
    const broken = (change: (copy: typeof result) => void) => {
      const copy = structuredClone(result);
      change(copy);
      return depthSchema.safeParse(copy).error?.issues[0]?.message;
    };
    expect(broken(({ target }) => target.patched.pop())).toMatch(
      /not every list has 12 patched or 12 read layers of 4/,
    );
    expect(broken(({ unrelated }) => unrelated.lens.subject.first[3]!.pop())).toMatch(/not every list/);
    expect(broken(({ layers }) => layers.reverse())).toMatch(/not ascending layers of 12/);
  });

  it("is said in a few words", () => {
    const { result } = fakeCell("Netflix");
    expect(depth.summary(result)).toMatch(/^largest Δ 0\.\d\d nats, after layer 11$/);
    const { depth_drop_max: most, depth_drop_max_unrelated: others } = depth.metrics!(result);
    expect(depth.summary(result)).toContain(most!.toFixed(2));
    expect(others).toBeLessThan(most! / 2);
  });
});

describe("a model that never learned the concept", () => {
  const cell = fakeCell("Netflix");

  it("is the one of the same model, concept, questions and options", () => {
    const never = fakeNever("Netflix");
    const others = [fakeNever("EBay"), fakeNever("Netflix", { model: "tiny-olmo" }), sparse(never), cell];
    expect(neverOf(cell, others)).toBeUndefined();
    expect(neverOf(cell, [...others, never])).toBe(never);
    expect(neverOf(never, [...others, never])).toBeUndefined();
  });

  it("gives the depth score its scale", () => {
    const never = fakeNever("Netflix");
    for (const by of ["patches", "lens"] as const) {
      expect(depthScoreOf(never, never, by).mean).toBe(1);
      expect(depthScoreOf(cell, never, by).mean).toBeGreaterThan(0.1);
      expect(depthScoreOf(cell, never, by).mean).toBeLessThan(0.6);
    }
  });
});

describe("the depth study's sections", () => {
  const cells = [fakeCell("Netflix"), fakeCell("EBay"), fakeCell("Netflix", { method: "graddiff", loss: 0.3 })];
  const page = ({ summary, sections, limits }: Awaited<ReturnType<typeof depth.sections>>) =>
    [summary, ...sections.map(({ body }) => body), limits].map(({ text }) => text).join("\n");

  it("say that there is no score where no model never learned the concept", async () => {
    const made = await sections(cells);
    expect(page(made)).toContain("so there is no unlearning depth score");
    expect(page(made)).not.toContain("<th>depth score");
    expect(made.summary.text).toMatch(/tiny-llama · NPO<.*0\.\d\d\u00a0at\u00a011/s);
    for (const label of ["concept", "other questions", "vanilla", "this model"])
      expect(page(made).split(`>${label}</text>`)).toHaveLength(3);
    expect(page(made)).not.toContain(">never</text>");
  });

  it("have the score, and the curve beside, where one did", async () => {
    const made = await sections([...cells, fakeNever("Netflix"), fakeNever("EBay")]);
    expect(made.summary.text).toContain("depth score");
    expect(made.summary.text).toMatch(/tiny-llama · NPO<\/th>.*?<td[^>]*>0\.\d\d<\/td><td[^>]*>0\.\d\d<\/td>/s);
    // The model that never learned it has none itself, and no panel.
    expect(made.summary.text).toMatch(/Never trained on the concept<\/th>.*?<td>–<\/td><td>–<\/td>/s);
    expect(page(made)).not.toContain('class="warning"');
    expect(page(made).split(">this model</text>")).toHaveLength(3);
    expect(page(made).split(">never</text>")).toHaveLength(5);
  });

  it("warn of a model that never learned the concept and lacks other answers too", async () => {
    const never = fakeNever("Netflix");
    const strange = { ...never, result: { ...never.result, unrelated: never.result.target } };
    expect(page(await sections([...cells, strange]))).toMatch(
      /loses more than half as much on.*Netflix \(tiny-llama\)/s,
    );
  });

  it("show models of different depths and strides, each by its own layers", async () => {
    const made = await sections([...cells, sparse(fakeCell("Netflix", { model: "tiny-olmo" }))]);
    expect(made.summary.text).toMatch(/tiny-olmo · NPO<.*?\u00a0at\u00a010/s);
    const rows = csvParse(made.files["depth.csv"]!).filter(({ model }) => model === "tiny-olmo");
    expect([...new Set(rows.map(({ layer }) => layer))]).toEqual(["0", "2", "4", "6", "8", "10"]);
  });

  it("write every number, question by question", async () => {
    const { files } = await sections(cells);
    const rows = csvParse(files["depth.csv"]!);
    expect(rows.columns.join()).toBe("model,concept,method,seed,questions,question,tokens,layer,vanilla,patched,drop");
    expect(rows).toHaveLength(3 * 2 * 12 * 4);
    const of = (row: Record<string, string | undefined>) =>
      row.method === "graddiff" && row.questions === "target" && row.question === "2" && row.layer === "7";
    expect(Number(rows.find(of)!.drop)).toBe(dropsOf(cells[2]!, "target")[7]![2]);
    const lens = csvParse(files["lens.csv"]!).find(of)!;
    const { vanilla, subject } = cells[2]!.result.target.lens;
    expect(lens).toMatchObject({ vanilla: `${vanilla.logProb[7]![2]}`, subject: `${subject.logProb[7]![2]}` });
    expect(lens).toMatchObject({ tokens: "3", vanillaFirst: "1", subjectFirst: "0.75" });
    expect(files["figures/depth.svg"]).toContain("#d55e00");
    expect(files["figures/lens.svg"]).toContain("#009e73");
  });
});
