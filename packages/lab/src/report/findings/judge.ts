import { isControl } from "../../subjects/controls.ts";
import { controlsByKind } from "../controls.ts";
import { byConcept, type ReportCell, subjectTitle } from "../panels.ts";
import { DRAWS, intervalOf } from "./bootstrap.ts";
import type { Claim, Judged, Measurement } from "./claim.ts";
import type { ControlComparison, Estimate, Finding } from "./finding.ts";
import { drawnNumbers, meanNumbers, type Resampled, unitOf } from "./resampling.ts";

/** A verdict is given where at least this share of the draws agrees with it. */
export const LEAST_AGREEMENT = 0.9;

/**
 * What cells say about claims: for each vanilla model, over all methods and then for each method. Each number is a mean over concepts, and
 * stands beside those of the controls.
 */
export function findingsOf<C extends ReportCell>(claims: readonly Claim<C>[], cells: readonly C[]): Finding[] {
  const models = [...new Set(cells.map(({ config }) => config.model.name))];
  return models.flatMap((model) => {
    const own = cells.filter(({ config }) => config.model.name === model);
    const unlearned = own.filter((cell) => !isControl(cell));
    const methods = [...new Set(unlearned.map(subjectTitle))];
    const groups = methods.length > 1 ? [methods, ...methods.map((method) => [method])] : [methods];
    return groups
      .filter((group) => group.length > 0)
      .flatMap((group) => {
        const chosen = unlearned.filter((cell) => group.includes(subjectTitle(cell)));
        const overall = group.length === methods.length;
        return claims.map((claim) =>
          findingOf(claim, chosen, controlsByKind(chosen, own), { methods: group, overall }),
        );
      });
  });
}

function findingOf<C extends ReportCell>(
  { on, beyond, ...texts }: Claim<C>,
  cells: readonly C[],
  controls: ReadonlyMap<string, readonly C[]>,
  group: Pick<Finding, "methods" | "overall">,
): Finding {
  const about = { ...pickTexts(texts), ...group, model: cells[0]!.config.model.name };
  const silent = { verdict: "cannot be said", controls: [] } as const;
  const measurement = on(cells);
  if (typeof measurement === "string") return { ...about, ...silent, over: over(cells), reason: measurement };
  const sample = sampleOf(measurement, byConcept(cells));
  const judged = measurement.judge(meanNumbers(sample));
  const described = { ...about, over: over(cells, sample) };
  if (typeof judged === "string") return { ...described, ...silent, reason: judged };
  const draws = drawnNumbers(sample).map((numbers) => measurement.judge(numbers));
  const here = estimate(judged.value, draws.map(numberOf));
  const agreeing = draws.filter((draw) => typeof draw !== "string" && draw.holds === judged.holds).length;
  const unsure = draws.length > 0 && agreeing / draws.length < LEAST_AGREEMENT;
  return {
    ...described,
    here,
    ...(judged.also !== undefined && { also: judged.also }),
    ...(unsure
      ? { verdict: "cannot be said", reason: disagreement(judged.holds, agreeing / draws.length) }
      : { verdict: judged.holds ? "holds" : "does not hold" }),
    controls: [...controls].flatMap(([kind, others]) => compared({ on, beyond }, kind, cells, others)),
  };
}

/** The texts of a claim without its functions, in the order in which a finding has them. */
function pickTexts<C extends ReportCell>({
  id,
  claim,
  source,
  measure,
  paper,
  criterion,
}: Omit<Claim<C>, "on" | "beyond">) {
  return { id, claim, source, measure, paper, criterion };
}

function disagreement(holds: boolean, share: number): string {
  const met = Math.round((holds ? share : 1 - share) * 100);
  return `the mean ${holds ? "meets" : "does not meet"} the criterion, but only in ${met}% of the draws is it met`;
}

/** The unlearned models beside a control, on the concepts that have both; nothing where there are none. */
function compared<C extends ReportCell>(
  { on, beyond }: Pick<Claim<C>, "on" | "beyond">,
  control: string,
  cells: readonly C[],
  others: readonly C[],
): ControlComparison[] {
  const [own, theirs] = [named(cells), named(others)];
  const shared = [...own.keys()].filter((concept) => theirs.has(concept));
  const both = shared.flatMap((concept) => [...own.get(concept)!, ...theirs.get(concept)!]);
  const measurement = shared.length > 0 ? on(both) : "";
  if (typeof measurement === "string") return [];
  const [unlearned, damaged] = [sideOf(measurement, shared, own), sideOf(measurement, shared, theirs)];
  if (unlearned.value === undefined || damaged.value === undefined) return [];
  const differences = unlearned.draws.map((value, i) => {
    const other = damaged.draws[i];
    return value === undefined || other === undefined ? undefined : value - other;
  });
  const excess = estimate(unlearned.value - damaged.value, differences);
  const exceeded = excess.interval && (beyond === "higher" ? excess.interval[0] > 0 : excess.interval[1] < 0);
  return [
    { control, number: estimate(damaged.value, damaged.draws), excess, ...(exceeded !== undefined && { exceeded }) },
  ];
}

/** Cells by their concept's name. */
function named<C extends ReportCell>(cells: readonly C[]): Map<string, C[]> {
  return new Map(byConcept(cells).map((own) => [own[0]!.config.concept.name, own]));
}

/** The value of one side of a comparison, and its value in each draw. */
function sideOf<C extends ReportCell>(
  measurement: Measurement<C>,
  concepts: readonly string[],
  cells: ReadonlyMap<string, readonly C[]>,
) {
  const sample = sampleOf(
    measurement,
    concepts.map((concept) => cells.get(concept)!),
  );
  return {
    value: numberOf(measurement.judge(meanNumbers(sample))),
    draws: drawnNumbers(sample).map((numbers) => numberOf(measurement.judge(numbers))),
  };
}

function sampleOf<C extends ReportCell>({ numbers, questions }: Measurement<C>, concepts: readonly (readonly C[])[]) {
  return { concepts, questions, numbers } satisfies Resampled<C>;
}

function numberOf(judged: Judged | string): number | undefined {
  return typeof judged === "string" ? undefined : judged.value;
}

function estimate(value: number, draws: readonly (number | undefined)[]): Estimate {
  const drawn = draws.filter((draw) => draw !== undefined);
  return drawn.length > 0 ? { value, interval: intervalOf(drawn) } : { value };
}

/** "mean over 3 concepts and 2 methods; 95% interval over concepts, drawn anew 1000 times" */
function over<C extends ReportCell>(cells: readonly C[], sample?: Resampled<C>): string {
  const counts = [
    counted(
      "concept",
      cells.map(({ config }) => config.concept.name),
    ),
    counted("method", cells.map(subjectTitle)),
    counted(
      "seed",
      cells.map(({ config }) => config.seed),
    ),
  ].filter((count) => !count.startsWith("1 "));
  const what = counts.length > 0 ? `mean over ${counts.join(", ")}` : "one cell";
  const unit = sample && unitOf(sample);
  if (!sample) return what;
  return `${what}; ${unit ? `95% interval over ${unit.count} ${unit.name}, drawn anew ${DRAWS} times` : "no interval: one concept"}`;
}

function counted(noun: string, values: readonly unknown[]): string {
  const { size } = new Set(values);
  return `${size} ${noun}${size === 1 ? "" : "s"}`;
}
