import { spawnSync } from "node:child_process";
import { setImmediate as original } from "node:timers";
import { testDevice } from "@lethe/testing/device";
import { describe, expect, test } from "vitest";
import { paced } from "../src/gpu/paced.node.ts";

/** A long computation by one invocation: a software adapter needs one core for it. */
const chain = `
struct Params { rounds: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(1) fn main() {
  var x = out[0];
  for (var i = 0u; i < params.rounds; i++) { x = x * 1664525u + 1013904223u; }
  out[0] = x;
}`;

const device = await testDevice();
device.addKernel("chain", chain);

function chained(rounds: number) {
  const out = device.tensor([1], [1], "u32");
  device.dispatch({ kernel: "chain", bindings: { out }, params: { rounds }, workgroups: [1, 1, 1] });
  return out;
}

async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The number of rounds that take the device about so many milliseconds. */
async function roundsFor(milliseconds: number): Promise<number> {
  await chained(1).read();
  let rounds = 2 ** 16;
  for (;;) {
    const taken = await millisecondsOf(() => chained(rounds).read());
    if (taken > milliseconds / 2) return Math.round((rounds * milliseconds) / taken);
    rounds *= 2;
  }
}

describe("while the device is waited for", () => {
  test("other code sees the same setImmediate, at its own speed", async () => {
    const rounds = await roundsFor(50);
    const seen = new Set<unknown>();
    const turns = { immediates: 0, timers: 0 };
    let waiting = true;
    const immediate = () => {
      seen.add(globalThis.setImmediate);
      turns.immediates++;
      if (waiting) setImmediate(immediate);
    };
    const timer = () => {
      turns.timers++;
      if (waiting) setTimeout(timer, 0);
    };
    immediate();
    timer();
    while (turns.timers < 40) {
      const reads = [chained(rounds).read(), device.idle(), chained(1).read()];
      seen.add(globalThis.setImmediate);
      await Promise.all(reads);
      seen.add(globalThis.setImmediate);
    }
    waiting = false;
    expect([...seen]).toEqual([original]);
    expect(turns.immediates).toBeGreaterThan(10 * turns.timers);
  });

  // Other work on the machine can delay any one read: hence the quartiles, and another try.
  test("a read takes no millisecond longer than with Dawn's own ticks", { retry: 3 }, async () => {
    const paced = (rounds: number) => chained(rounds).read();
    const prompt = (rounds: number) => {
      // This starts Dawn's ticks in Dawn's own way, and they go on so until nothing more is awaited.
      device.gpu.queue.onSubmittedWorkDone();
      return paced(rounds);
    };
    const typical = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 4)]!;
    for (const rounds of [1, await roundsFor(3)]) {
      const times = { paced: [] as number[], prompt: [] as number[] };
      for (let i = 0; i < 40; i++) {
        for (const [name, read] of Object.entries({ paced, prompt })) {
          await new Promise((resolve) => setTimeout(resolve, 2));
          times[name as keyof typeof times].push(await millisecondsOf(() => read(rounds)));
        }
      }
      expect(typical(times.paced) - typical(times.prompt)).toBeLessThan(1);
    }
  });
});

test("ticks run one after another, after the caller, at both paces", async () => {
  const order: string[] = [];
  const done = new Promise<void>((resolve) => {
    const tick = (left: number) => () => {
      order.push(`tick ${left}`);
      if (left > 0) globalThis.setImmediate(tick(left - 1));
      else resolve();
      const end = performance.now() + 0.15;
      while (performance.now() < end);
    };
    expect(paced(() => globalThis.setImmediate(tick(4)) && "started")).toBe("started");
    order.push("caller");
  });
  await done;
  expect(order).toEqual(["caller", "tick 4", "tick 3", "tick 2", "tick 1", "tick 0"]);
  expect(globalThis.setImmediate).toBe(original);
});

test("the global is restored after a start that throws", () => {
  const failing = () => {
    throw new Error("lost");
  };
  expect(() => paced(failing)).toThrow("lost");
  expect(globalThis.setImmediate).toBe(original);
});

describe("a process", () => {
  const run = (script: string) => {
    const flags = ["--conditions=lethe-source", "--import", "tsx", "--input-type=module", "-e", script];
    return spawnSync(process.execPath, flags, { cwd: import.meta.dirname, encoding: "utf8", timeout: 60_000 });
  };

  test("stays alive while it waits, and ends by itself afterwards", () => {
    const { status, stdout } = run(`
      import { openDevice } from "@lethe/tensor";
      const device = await openDevice();
      device.addKernel("chain", ${JSON.stringify(chain)});
      const out = device.tensor([1], [1], "u32");
      device.dispatch({ kernel: "chain", bindings: { out }, params: { rounds: 2 ** 22 }, workgroups: [1, 1, 1] });
      console.log((await out.read()).length);`);
    expect([status, stdout]).toEqual([0, "1\n"]);
  });

  test("ends with an error that a tick throws", () => {
    const { status, stderr } = run(`
      import { paced } from "../src/gpu/paced.node.ts";
      const end = performance.now() + 1;
      const late = () => { if (performance.now() < end) setImmediate(late); else throw new Error("in a tick"); };
      paced(() => setImmediate(late));`);
    expect(status).toBe(1);
    expect(stderr).toContain("Error: in a tick");
  });
});
