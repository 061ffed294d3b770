import { batchOf } from "@lethe/decoder";
import type { Llama } from "@lethe/llama";
import { testDevice } from "@lethe/testing/device";
import { smallLlama, warmLlama } from "@lethe/testing/llama";
import { integer } from "@lethe/testing/random";
import { afterAll, describe, expect, test } from "vitest";
import {
  type ClassedText,
  MetricError,
  probabilityLost,
  type TokenClass,
  type TokenGroup,
  tokenGroups,
} from "../../src/index.ts";

const device = await testDevice();
const model = warmLlama(device, 1);
afterAll(() => model.dispose());

/** The log-probability of each token of a text but the first, in float64 from the logits of a pass over the text alone. */
async function plain(of: Llama, tokens: readonly number[]): Promise<number[]> {
  using _ = device.scope("plain");
  const logits = await of.forward(batchOf(device, [tokens])).read();
  const width = of.config.vocab_size;
  return tokens.slice(1).map((token, t) => {
    const row = logits.subarray(t * width, (t + 1) * width);
    const largest = row.reduce((a, b) => Math.max(a, b));
    return row[token]! - largest - Math.log(row.reduce((sum, x) => sum + Math.exp(x - largest), 0));
  });
}

const groupOf = (groups: readonly TokenGroup[], of: TokenClass, from: number) =>
  groups.find((group) => group.class === of && group.from === from)!;

describe("tokenGroups", () => {
  // Measured tokens: 5 three times, 6 twice, 7, 8 and 9 once.
  const texts: ClassedText[] = [
    { tokens: [2, 5, 6, 7], classes: [null, "common", "content", "content"] },
    { tokens: [5, 5, 8], classes: [null, "common", null] },
    { tokens: [9], classes: [null] },
    { tokens: [3, 9, 5, 6, 8, 2], classes: [null, "other", "content", "content", "content", null] },
  ];

  test("sums the log-probabilities of tokens by class and by how often they occur, as single passes give them", async () => {
    const groups = await tokenGroups(model, texts, { bands: [1, 2, 3] });
    expect(groups.map((group) => [group.class, group.from, group.to, group.count])).toEqual([
      ["content", 1, 1, 2],
      ["content", 2, 2, 2],
      ["content", 3, null, 1],
      ["common", 1, 1, 0],
      ["common", 2, 2, 0],
      ["common", 3, null, 2],
      ["other", 1, 1, 1],
      ["other", 2, 2, 0],
      ["other", 3, null, 0],
    ]);
    const wanted: [TokenClass, number, [number, number][]][] = [
      [
        "content",
        1,
        [
          [0, 3],
          [3, 4],
        ],
      ],
      [
        "content",
        2,
        [
          [0, 2],
          [3, 3],
        ],
      ],
      ["content", 3, [[3, 2]]],
      [
        "common",
        3,
        [
          [0, 1],
          [1, 1],
        ],
      ],
      ["other", 1, [[3, 1]]],
    ];
    const alone: number[][] = [];
    for (const { tokens } of texts) alone.push(await plain(model, tokens));
    for (const [of, from, places] of wanted) {
      const logProbs = places.map(([text, place]) => alone[text]![place - 1]!);
      const { logProb, probability } = groupOf(groups, of, from);
      expect(logProb).toBeCloseTo(
        logProbs.reduce((sum, value) => sum + value),
        4,
      );
      expect(probability).toBeCloseTo(
        logProbs.reduce((sum, value) => sum + Math.exp(value), 0),
        5,
      );
    }
    expect(groupOf(groups, "other", 3)).toMatchObject({ logProb: 0, probability: 0 });
  });

  test("gives the same in batches of any size, on a vocabulary that is read in pieces too, and its memory back", async () => {
    const long = Array.from({ length: 4 }, (_, i): ClassedText => {
      const tokens = Array.from({ length: 3 + 4 * i }, () => integer(2, 52));
      return { tokens, classes: tokens.map((_, t) => (t === 0 ? null : t % 2 ? "content" : "common")) };
    });
    for (const size of [{}, { vocab_size: 270_001 }]) {
      using large = smallLlama(device, 4, { ...size, num_hidden_layers: 1 });
      const shares: number[] = [];
      const whole = await tokenGroups(large, long, { progress: (share) => shares.push(share) });
      expect(shares).toEqual([0]);
      const { bytesInUse } = device.memory();
      for (const batchTokens of [1, 24]) {
        const groups = await tokenGroups(large, long, { batchTokens });
        for (const [i, { logProb, ...group }] of groups.entries()) {
          expect(group).toMatchObject({ class: whole[i]!.class, count: whole[i]!.count });
          expect(logProb).toBeCloseTo(whole[i]!.logProb, 3);
        }
      }
      expect(device.memory().bytesInUse).toBe(bytesInUse);
      const total = whole.reduce((sum, { logProb }) => sum + logProb, 0);
      let alone = 0;
      for (const { tokens } of long) alone += (await plain(large, tokens)).reduce((sum, value) => sum + value);
      expect(Math.abs(total - alone)).toBeLessThan(1e-4 * Math.abs(alone));
    }
  });

  test("stops when it is told to, with the reason that it was given", async () => {
    const controller = new AbortController();
    const stop = new Error("enough");
    const progress = (share: number) => share > 0 && controller.abort(stop);
    const { bytesInUse } = device.memory();
    const options = { batchTokens: 1, progress, signal: controller.signal };
    await expect(tokenGroups(model, texts, options)).rejects.toBe(stop);
    expect(device.memory().bytesInUse).toBe(bytesInUse);
  });

  test("refuses bands and classes that do not fit, and says where a log-probability is not finite", async () => {
    for (const bands of [[], [2, 3], [1, 1], [1, 5, 4]])
      await expect(tokenGroups(model, texts, { bands })).rejects.toThrow(
        `the bands are [${bands}]; expected ascending`,
      );
    for (const classes of [[null], ["common", null], [null, null, null]] as const)
      await expect(tokenGroups(model, [...texts, { tokens: [4, 5], classes }])).rejects.toThrow(MetricError);
    using broken = smallLlama(device, 2);
    const norm = broken.weights.get("model.norm.weight")!;
    device.writeBytes(norm, 0, new Uint8Array(new Float32Array([Number.NaN]).buffer));
    await expect(tokenGroups(broken, texts)).rejects.toThrow("the log-probability of token 1 of text 0 is NaN");
    for (const { count } of await tokenGroups(model, [])) expect(count).toBe(0);
  });
});

describe("probabilityLost", () => {
  const group = (of: TokenClass, from: number, [count, logProb, probability]: [number, number, number]) =>
    ({ class: of, from, to: null, count, logProb, probability }) as TokenGroup;
  const before = [group("content", 1, [2, -1, 1.2]), group("common", 1, [3, -2, 1.8])];
  const after = [group("content", 1, [2, -11, 0.3]), group("common", 1, [3, -5, 0.9])];

  test("compares all tokens of the groups that it is given", () => {
    const all = probabilityLost(before, after);
    expect(all).toEqual({ count: 5, drop: 13 / 5, ratio: Math.exp(-13 / 5), kept: expect.closeTo(0.4, 14) });
    const content = probabilityLost(before.slice(0, 1), after.slice(0, 1));
    expect(content).toEqual({ count: 2, drop: 5, ratio: Math.exp(-5), kept: 0.25 });
    expect(probabilityLost(before, before)).toEqual({ count: 5, drop: 0, ratio: 1, kept: 1 });
  });

  test("is null without a token, and refuses groups of other texts", () => {
    const none = [group("other", 1, [0, 0, 0])];
    expect(probabilityLost(none, none)).toEqual({ count: 0, drop: null, ratio: null, kept: null });
    expect(probabilityLost([], [])).toMatchObject({ count: 0, drop: null });
    for (const other of [after.slice(1), after.toReversed(), [after[0]!, group("common", 1, [4, -5, 0.9])]])
      expect(() => probabilityLost(before, other)).toThrow(MetricError);
  });
});
