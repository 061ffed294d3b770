import { settings } from "@lethe/unlearn";
import { type CellConfig, type CellResult, configSchema } from "../src/cells/cell.ts";
import { studies } from "../src/studies/list.ts";
import { tinyModels } from "../src/tiny/tiny-models.ts";
import { fakeConfig, fakeMeasurements, fakeNoise } from "./fake-cell.ts";

type Kind = "noise" | "overwritten" | "never";

/** How much of an unlearned model's recovery each made-up control has. */
const SHARE: Record<Kind, number> = { noise: 0.75, overwritten: 0.5, never: 0.25 };

/** A made-up control of a made-up cell. */
export function fakeControl(cell: CellResult, kind: Kind): CellResult {
  const config = configSchema(studies).parse({
    ...cell.config,
    subject: controlConfig(kind, cell.config),
  }) as CellConfig;
  const noise = { ...config, subject: { kind: "noise", matches: cell.config.subject, tolerance: 0.01 } } as CellConfig;
  const made = fakeNoise(noise);
  const { factor: _, matchedLoss: __, ...plain } = made.subject;
  const { steps } = cell.subject as { steps?: object };
  const subject = kind === "noise" ? made.subject : kind === "overwritten" ? { ...plain, steps } : plain;
  const { restoration } = structuredClone(made.studies);
  for (const { paper, released } of Object.values(restoration.restored))
    for (const [alignment, layers] of [
      ["paper", paper],
      ["released", released],
    ] as const)
      for (const losses of layers)
        for (const [i, loss] of losses.entries()) {
          const base = restoration.base[alignment][i]!;
          losses[i] = base - SHARE[kind] * (base - loss);
        }
  return { ...cell, config, subject: subject as CellResult["subject"], studies: { ...made.studies, restoration } };
}

function controlConfig(kind: Kind, { subject }: CellConfig): object {
  if (kind === "noise") return { kind, matches: subject };
  const { training } = subject as { training: object };
  if (kind === "overwritten") return { kind, training };
  const { recipe } = tinyModels.llama;
  return { kind, pretraining: { seed: 0, recipe, data: "e".repeat(64) } };
}

/** Two models, two concepts and two methods each, every study, every setting, and every control. */
export function fakeExperiment(): CellResult[] {
  const concepts = { "tiny-llama": ["Harry Potter", "Netflix"], "tiny-olmo": ["Harry Potter", "EBay"] };
  return Object.entries(concepts).flatMap(([model, names]) =>
    names.flatMap((concept) => {
      const unlearned = ["graddiff", "npo"].map((method): CellResult => {
        const config = fakeConfig(concept, method, model, settings, { depth: {}, weights: {}, unpact: {} });
        return { version: 4, config, ...fakeMeasurements(config) };
      });
      const noise = unlearned.map((cell) => fakeControl(cell, "noise"));
      return [
        ...unlearned,
        ...noise,
        ...(["overwritten", "never"] as const).map((kind) => fakeControl(unlearned[0]!, kind)),
      ];
    }),
  );
}
