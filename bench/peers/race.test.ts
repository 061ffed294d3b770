import { describe, expect, test } from "vitest";
import type { DispatchCount } from "./dispatches.ts";
import type { Contender, ContenderWork } from "./peer.ts";
import { race } from "./race.ts";
import type { Task } from "./tasks.ts";

const task: Task = {
  kind: "softmax",
  shape: "1×4",
  amount: 1,
  operands: {},
  size: 4,
  tolerance: 1e-6,
  expected: (i) => i / 10,
};

/** Stands in for the count of the process's dispatches: contenders say themselves how many they start. */
let started = 0;
const counter = {
  async of<T>(work: () => Promise<T>) {
    const before = started;
    const result = await work();
    return { result, count: started - before };
  },
} as DispatchCount;

/** A library that takes some seconds a run, by its own word. */
function library(name: string, seconds: number, other: Partial<ContenderWork> = {}): Contender {
  const work: ContenderWork = {
    output: async () => [0, 0.1, 0.2, 0.3],
    async time(repeats) {
      started += repeats;
      return seconds;
    },
    ...other,
  };
  return { name, version: "1", prepare: async () => work };
}

const own = library("Lethe", 0.01);

async function against(other: Contender, faults: string[] = []) {
  const { entries } = await race(task, [own, other], { counter, faults });
  return entries[1]!;
}

describe("a library that takes its turns", () => {
  test("has its time as a multiple of Lethe's, and its dispatches", async () => {
    const entry = await against(library("other", 0.03));
    expect(entry).toMatchObject({ seconds: 0.03, dispatches: 1, problem: null });
    expect(entry.times!.median).toBeCloseTo(3);
  });

  test("that counts its own dispatches is believed", async () => {
    const time = async () => 0.05;
    expect(await against(library("other", 0, { dispatches: 7, time }))).toMatchObject({ dispatches: 7, problem: null });
  });
});

test("a wrong output of Lethe's ends the run", async () => {
  const wrong = library("Lethe", 0.01, { output: async () => [0, 0, 0, 0] });
  await expect(race(task, [wrong], { counter, faults: [] })).rejects.toThrow(/softmax 1×4: Lethe gave a wrong output/);
});

describe("a library is not timed, and the row says why,", () => {
  const wrong = { seconds: null, times: null };

  test("when its output is wrong", async () => {
    const output = async () => [0, 0.1, 0.3, 0.3];
    expect(await against(library("other", 0.001, { output }))).toMatchObject({
      ...wrong,
      problem: "gave a wrong output: element 2 is 0.3, expected 0.2",
    });
  });

  test("when its output is too short", async () => {
    const problem = "gave 0 elements in place of 4";
    expect(await against(library("other", 0.001, { output: async () => [] }))).toMatchObject({ ...wrong, problem });
  });

  test("when it starts fewer dispatches than it should", async () => {
    const time = async () => {
      started += 1; // of many runs: the others were cancelled
      return 0.001;
    };
    const { problem } = await against(library("other", 0, { time }));
    expect(problem).toMatch(/started 1 dispatches in place of 1 × 30/);
  });

  test("when it fails in a later round, and the others go on", async () => {
    let calls = 0;
    const time = async (repeats: number) => {
      if (++calls > 4) throw new Error("ran out of memory");
      started += repeats;
      return 0.001;
    };
    const { entries } = await race(task, [own, library("other", 0, { time }), library("third", 0.02)], {
      counter,
      faults: [],
    });
    expect(entries[1]).toMatchObject({ ...wrong, problem: "ran out of memory" });
    expect(entries[2]!.times!.median).toBeCloseTo(2);
  });

  test("when it starts none", async () => {
    expect((await against(library("other", 0, { time: async () => 0.001 }))).problem).toBe("started no dispatch");
  });

  test("when its device refuses its work", async () => {
    const faults: string[] = [];
    const output = async () => {
      faults.push("a pass was not ended");
      return [0, 0.1, 0.2, 0.3];
    };
    const { problem } = await against(library("other", 0, { output }), faults);
    expect(problem).toBe("its device reported: a pass was not ended");
  });

  test("when it throws, or has no such operation", async () => {
    const fails = library("other", 0, { output: () => Promise.reject(new Error("not built in")) });
    expect((await against(fails)).problem).toBe("not built in");
    const lacks: Contender = { name: "other", version: "1", prepare: async () => null };
    expect(await against(lacks)).toMatchObject({ ...wrong, problem: "has no such operation" });
  });
});
