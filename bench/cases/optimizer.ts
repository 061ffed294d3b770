import { adamwStep, castInto, fillInto, GlobalNorm, roundInto, together, zeros } from "@lethe/tensor";
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
    name: "squares_of_blocks",
    shape: `${count} elements of 64 tensors`,
    bytes: 4 * count,
    prepare(device) {
      const tensors = together(
        device,
        Array.from({ length: 64 }, (_, i) => [{ shape: [count / 64], label: `tensor ${i}` }]),
        "f32",
      );
      for (const tensor of tensors) fillInto(tensor, 2);
      const norms = new GlobalNorm(device);
      const run = () => norms.of(tensors.map((tensor) => ({ tensor }))).norm;
      return {
        run,
        check: () => checkSamples("global_norm", run(), () => 2 * Math.sqrt(count)),
        dispose() {
          norms[Symbol.dispose]();
          for (const tensor of tensors) tensor.dispose();
        },
      };
    },
  },
  {
    name: "round_stochastic",
    shape: `${count} elements, beside rounding to nearest`,
    bytes: 6 * count,
    prepare(device) {
      const x = normal(device, [count]);
      const out = device.empty([count], "bf16");
      return {
        run: () => roundInto(out, x, { seed: 1, step: 1 }),
        plain: () => castInto(out, x),
        async check() {
          roundInto(out, x, { seed: 1, step: 1 });
          await checkSamples("round_stochastic", out, await x.read(), 2 ** -7);
        },
      };
    },
  },
];
