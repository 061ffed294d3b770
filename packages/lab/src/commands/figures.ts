import type { Figures } from "../subjects/subject.ts";

/** The figures of running work in a few words: “step 3.5 of 30 · loss 1.234 · BLEU 0.45 / 0.80 · 120 tokens/s”. */
export function showFigures({ step, loss, bleu, tokensPerSecond }: Figures): string[] {
  return [
    ...(step ? [`step ${Number(step.done.toFixed(1))} of ${step.of}`] : []),
    ...(loss !== undefined ? [`loss ${loss.toFixed(3)}`] : []),
    ...(bleu ? [`BLEU target ${bleu.target.toFixed(2)}, unrelated ${bleu.unrelated.toFixed(2)}`] : []),
    ...(tokensPerSecond !== undefined ? [`${Number(tokensPerSecond.toPrecision(2))} tokens/s`] : []),
  ];
}
