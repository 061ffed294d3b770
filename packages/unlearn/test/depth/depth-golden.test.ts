import { readFile } from "node:fs/promises";
import { initLlama } from "@lethe/llama";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import { answerTokens, logitLens, patchStreams, recordStreams, type TokenReadings } from "../../src/index.ts";

interface Reading {
  readonly logProb: number;
  readonly first: number;
}
interface Case {
  readonly prompt: number[];
  readonly answer: number[];
  readonly measured: number[];
  readonly patched: Reading[];
  readonly lens: { readonly own: Reading[]; readonly other: Reading[] };
}

const file = new URL("../golden/depth.json", import.meta.url);
const { config, shifts, cases } = JSON.parse(await readFile(file, "utf8"));
const device = await testDevice();

/** A model with the weights of make_depth.py. */
function modelOf(shift: number) {
  const model = initLlama(device, config, 0);
  for (const [name, weight] of model.weights) {
    const values = Float32Array.from({ length: weight.size }, (_, place) => {
      const wave = Math.sin(1.7 * place + name.length) * 0.8 + Math.sin(0.013 * place * place) * shift;
      return name.endsWith("norm.weight") ? 1 + wave / 4 : wave / 2;
    });
    device.writeBytes(weight, 0, new Uint8Array(values.buffer));
  }
  return model;
}

test("patches and the logit lens agree with torch, one question at a time and without padding", async () => {
  using vanilla = modelOf(shifts.vanilla);
  using unlearned = modelOf(shifts.unlearned);
  const questions = cases.map(({ prompt, answer, measured }: Case) => ({ prompt, answer, measured }));
  using answers = answerTokens(device, questions);
  using own = recordStreams(vanilla, answers);
  using source = recordStreams(unlearned, answers);
  const { patched } = await patchStreams({ vanilla, answers, own, source });
  const lens = {
    own: await logitLens(vanilla, answers, { streams: own }),
    other: await logitLens(unlearned, answers, { streams: source, through: vanilla }),
  };
  const compare = (found: readonly TokenReadings[], wanted: (one: Case) => Reading[]) => {
    for (const [question, one] of cases.entries()) {
      expectClose(
        found.map(({ logProb }) => logProb[question]!),
        wanted(one).map(({ logProb }) => logProb),
      );
      expect(found.map(({ first }) => first[question])).toEqual(wanted(one).map(({ first }) => first));
    }
  };
  compare(patched, (one) => one.patched);
  compare(lens.own, (one) => one.lens.own);
  compare(lens.other, (one) => one.lens.other);
  // The two models differ, so that a patch that does nothing is seen.
  expect(Math.abs(cases[0].patched[1].logProb - cases[0].lens.own.at(-1).logProb)).toBeGreaterThan(0.01);
});
