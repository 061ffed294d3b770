import { readFileSync } from "node:fs";
import type { Device } from "@lethe/tensor";
import { findAdapter, paced } from "../../packages/tensor/src/gpu/adapter.node.ts";
import type { Left } from "../case.ts";
import { showRatio, showSpread } from "../spread.ts";
import { DispatchCount } from "./dispatches.ts";
import { installPeers } from "./installed.ts";
import { jaxContender } from "./jax.ts";
import { letheContender } from "./lethe.ts";
import { onnxContender } from "./onnxruntime.ts";
import type { Contender, Library } from "./peer.ts";
import { torchContender } from "./pytorch.ts";
import { type PeerRow, race } from "./race.ts";
import { taskPlans } from "./tasks.ts";
import { tfjsContender } from "./tfjs.ts";

/** What `--peers` found: the libraries, Lethe first, what they did, and what is not in the table. */
export interface PeerResults {
  readonly libraries: readonly Library[];
  readonly rows: readonly PeerRow[];
  readonly left: readonly Left[];
}

/** Longer than this, and a row is left out on a software adapter: three rounds and the warm-up take some minutes. */
const mostRoundSeconds = 25;

/**
 * Runs the tasks with Lethe and its peers on one adapter, in one process, in turns.
 * @param filter only tasks whose name or shape contains this
 */
export async function benchPeers(
  device: Device,
  { filter, large }: { readonly filter: string; readonly large: boolean },
): Promise<PeerResults> {
  installPeers();
  const counter = new DispatchCount();
  const faults: string[] = [];
  offerAdapter(faults);
  paceWaits();
  const left: Left[] = [];
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const contenders: Contender[] = [letheContender(device, version)];
  for (const [name, open] of [
    ["jax-js", jaxContender],
    ["tfjs", tfjsContender],
    ["onnxruntime", onnxContender],
    ["PyTorch", torchContender],
  ] as const) {
    try {
      const contender = await open();
      if (contender) contenders.push(contender);
      else left.push({ name, why: "absent: python3 has no torch" });
    } catch (error) {
      left.push({ name, why: `did not start: ${error instanceof Error ? error.message : error}` });
    }
  }
  const libraries = contenders.map(({ name, version }) => ({ name, version }));
  console.log(libraries.map(({ name, version }) => `${name} ${version}`).join(", "));
  for (const { name, why } of left) console.log(`${name}: ${why}`);
  console.log(headingsOf(contenders));
  const rows: PeerRow[] = [];
  const pace = new Map<string, number>();
  for (const plan of taskPlans.filter(({ kind, shape }) => `${kind} ${shape}`.includes(filter))) {
    const guess = (pace.get(plan.kind) ?? 0) * plan.amount;
    if (guess > mostRoundSeconds && device.capabilities.software && !large) {
      const name = `${plan.kind} ${plan.shape}`;
      const why = `a round would take about ${guess.toFixed(0)} s here; --large runs it`;
      console.log(`${name}: ${why}`);
      left.push({ name, why });
      continue;
    }
    const row = await race(plan.make(), contenders, { counter, faults });
    pace.set(plan.kind, row.roundSeconds / plan.amount);
    printPeerRow(row);
    rows.push(row);
  }
  for (const { close } of contenders) close?.();
  return { libraries, rows, left };
}

/**
 * Makes every library wait for its device as Lethe does: by itself, Dawn in Node keeps a core busy while it waits, on which a software
 * adapter could compute.
 */
function paceWaits(): void {
  const [queue, buffer] = [GPUQueue.prototype, GPUBuffer.prototype];
  const { onSubmittedWorkDone } = queue;
  const { mapAsync } = buffer;
  queue.onSubmittedWorkDone = function () {
    return paced(() => onSubmittedWorkDone.call(this));
  };
  buffer.mapAsync = function (...given) {
    return paced(() => mapAsync.apply(this, given));
  };
}

/** Gives the libraries that ask a browser for WebGPU the adapter that Lethe uses, and listens to their devices. */
function offerAdapter(faults: string[]): void {
  const requestAdapter = async () => {
    const adapter = await findAdapter("best");
    const { requestDevice } = adapter;
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice.call(adapter, descriptor);
      device.addEventListener("uncapturederror", ({ error }) => void faults.push(error.message));
      return device;
    };
    return adapter;
  };
  const navigator = { userAgent: "Node.js", gpu: { requestAdapter } };
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: navigator });
}

const nameWidth = 34;
const entryWidth = 30;

function headingsOf(contenders: readonly Contender[]): string {
  return ["task".padEnd(nameWidth), ...contenders.map(({ name }) => name.padStart(entryWidth))].join(" ");
}

function printPeerRow({ name, shape, entries }: PeerRow): void {
  const cells = entries.map(({ seconds, times, dispatches, problem }, i) => {
    if (seconds === null) return problem === "has no such operation" ? "–" : "see below";
    const ratio = i === 0 ? "" : `, ${showSpread(times!, showRatio)}×`;
    return `${(seconds * 1e3).toFixed(2)} ms${dispatches === null ? "" : ` [${dispatches}]`}${ratio}`;
  });
  console.log([`${name} ${shape}`.padEnd(nameWidth), ...cells.map((cell) => cell.padStart(entryWidth))].join(" "));
  for (const { name, problem } of entries)
    if (problem && problem !== "has no such operation") console.log(`  ${name} was not timed: ${problem}`);
}
