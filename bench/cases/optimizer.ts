import { adamwStep, clipCoefficient, full, zeros } from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";

const count = 2 ** 20;

export const optimizerCases: readonly BenchCase[] = [
  {
    name: "adamw",
    shape: `${count} parameters`,
    bytes: 7 * 4 * count, // reads parameter, gradient and two moments; writes all but the gradient
    prepare(device) {
      const [parameter, gradient] = [normal(device, [count]), normal(device, [count])];
      const [first, second] = [zeros(device, [count]), zeros(device, [count])];
      const options = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
      return {
        run: () => adamwStep(parameter, gradient, first, second, { ...options, step: 1 }),
        async check() {
          const [before, slope] = await Promise.all([parameter.read(), gradient.read()]);
          adamwStep(parameter, gradient, first, second, { ...options, step: 1 });
          await checkSamples(
            "adamw",
            parameter,
            (i) => before[i]! * (1 - 1e-3 * 0.01) - 1e-3 * Math.sign(slope[i]!),
            1e-5,
          );
        },
      };
    },
  },
  {
    name: "clip_coefficient",
    shape: "1",
    bytes: 8,
    prepare(device) {
      const squares = full(device, [], 16);
      const run = () => clipCoefficient(squares, { maxNorm: 1 });
      return { run, check: () => checkSamples("clip_coefficient", run(), () => 0.25) };
    },
  },
];
