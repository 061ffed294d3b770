import { loadConcepts } from "./data/index.ts";
import { assembleCell, configureCells, planCells } from "./experiment/index.ts";
import { openStudy } from "./experiment/study.ts";
const study = await openStudy();
const concepts = await loadConcepts("data/llama.json");
const names = ["Harry Potter", "Netflix", "Austria"];
for (const [method, lr] of [["graddiff", 5e-4], ["graddiff", 6e-4], ["npo", 8e-4], ["npo", 1e-3]] as const) {
  const cells = await configureCells(planCells(["models/tiny-llama"], concepts, concepts.filter((c) => names.includes(c.name)), [method]), "default", 0);
  for (const cell of cells) {
    const c = { ...cell, config: { ...cell.config, training: { ...cell.config.training, learningRate: lr } } };
    const r = assembleCell(c.config, await study.runCell(c, () => {}));
    const k = (s: "m" | "W_V" | "A" | "m+A") => r.restoration.curves[s].paper.ratioOfMeans[9]!.toFixed(2);
    console.log(method, lr, cell.concept.name, "epochs", r.bleu.target.length - 1, "t", r.bleu.target.at(-1)!.toFixed(2), "u", r.bleu.unrelated.at(-1)!.toFixed(2), "L9 m/W/A/mA", k("m"), k("W_V"), k("A"), k("m+A"));
  }
}
await study.close();
