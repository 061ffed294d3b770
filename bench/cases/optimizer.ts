import {
  adafactorShapes,
  adafactorStep,
  adamw8bitStep,
  adamwStep,
  castInto,
  fillInto,
  GlobalNorm,
  roundInto,
  together,
  zeroMoment8bit,
  zeros,
} from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";

const count = 2 ** 20;
const rates = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, step: 1 };

/** What AdamW's first step makes of a parameter. */
const stepped = (before: number, slope: number) => before * (1 - 1e-3 * 0.01) - 1e-3 * Math.sign(slope);

export const optimizerCases: readonly BenchCase[] = [
  {
    name: "adamw",
    shape: `${count} parameters`,
    bytes: 7 * 4 * count, // reads parameter, gradient and two moments; writes all but the gradient
    prepare(device) {
      const [parameter, gradient] = [normal(device, [count]), normal(device, [count])];
      const [first, second] = [zeros(device, [count]), zeros(device, [count])];
      const run = () => adamwStep(parameter, gradient, first, second, rates);
      return {
        run,
        async check() {
          const [before, slope] = await Promise.all([parameter.read(), gradient.read()]);
          run();
          await checkSamples("adamw", parameter, (i) => stepped(before[i]!, slope[i]!), 1e-5);
        },
      };
    },
  },
  {
    name: "adamw_8bit",
    shape: `${count} parameters, beside f32 moments`,
    bytes: (3 * 4 + 4 + (4 * 4) / 256) * count, // reads and writes parameter, codes and scales; reads the gradient
    prepare(device) {
      const [parameter, gradient] = [normal(device, [count]), normal(device, [count])];
      const [m, v] = [zeroMoment8bit(device, count, "m"), zeroMoment8bit(device, count, "v")];
      const [first, second] = [zeros(device, [count]), zeros(device, [count])];
      const run = () => adamw8bitStep(parameter, gradient, m, v, rates);
      return {
        run,
        plain: () => adamwStep(parameter, gradient, first, second, rates),
        async check() {
          const [before, slope] = await Promise.all([parameter.read(), gradient.read()]);
          run();
          await checkSamples("adamw_8bit", parameter, (i) => stepped(before[i]!, slope[i]!), 1e-5);
        },
        dispose() {
          for (const { codes, scales } of [m, v]) for (const tensor of [codes, scales]) tensor.dispose();
        },
      };
    },
  },
  adafactorCase("adafactor", [1024, count / 1024], 5), // reads the gradient three times, reads and writes the parameter
  adafactorCase("adafactor_vector", [4096], 9), // goes twice through gradient and moment
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

function adafactorCase(name: string, shape: readonly number[], passes: number): BenchCase {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return {
    name,
    shape: `${shape.join(" × ")} parameters, beside AdamW`,
    bytes: passes * 4 * size,
    prepare(device) {
      const [parameter, gradient] = [normal(device, shape), normal(device, shape)];
      const moments = adafactorShapes(shape).map((of) => zeros(device, of));
      const [first, second] = [zeros(device, shape), zeros(device, shape)];
      const { learningRate, weightDecay } = rates;
      const run = () => adafactorStep(parameter, gradient, moments, { learningRate, weightDecay, step: 1 });
      return {
        run,
        plain: () => adamwStep(parameter, gradient, first, second, rates),
        async check() {
          const [before, slope] = await Promise.all([parameter.read(), gradient.read()]);
          run();
          const kept = await Promise.all(moments.map((moment) => moment.read()));
          const mean = kept[0]!.reduce((sum, value) => sum + value, 0) / kept[0]!.length;
          const width = shape.at(-1)!;
          const u = slope.map((value, i) => {
            const second = kept[1] ? (kept[0]![Math.floor(i / width)]! * kept[1][i % width]!) / mean : kept[0]![i]!;
            return value / Math.sqrt(second);
          });
          const clip = Math.max(1, Math.sqrt(u.reduce((sum, value) => sum + value * value, 0) / size));
          const decayed = 1 - learningRate * weightDecay;
          await checkSamples(name, parameter, (i) => before[i]! * decayed - (learningRate * u[i]!) / clip, 1e-5);
        },
      };
    },
  };
}
