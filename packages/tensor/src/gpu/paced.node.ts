import { setImmediate as soon } from "node:timers";
import { Worker } from "node:worker_threads";

// Dawn in Node looks for finished work in "ticks": functions that it hands to `globalThis.setImmediate`, one after another, as long
// as something is awaited. That keeps a core busy, on which a software adapter could compute. Here Dawn's ticks are caught and
// called at a slower pace. The global is another one only while Dawn's own call runs, so no other code ever sees it.

type Tick = () => void;

/** Work that is done within this time, in milliseconds, is found at full speed; most of it is done when it is asked for. */
const promptFor = 0.4;

/**
 * Pauses between later ticks, in milliseconds: an eighth of the time that was waited so far, within bounds. So a short read is found soon
 * after it is done, and a long wait takes few ticks. Node's own timers cannot be shorter than a millisecond.
 */
const pause = { share: 1 / 8, least: 0.05, most: 0.5 };

// A thread that answers each request, the microseconds of a pause in the shared word, with one message after the pause.
const clock = `
const { parentPort, workerData } = require("node:worker_threads");
for (;;) {
  Atomics.wait(workerData, 0, 0);
  Atomics.wait(workerData, 1, 0, Atomics.exchange(workerData, 0, 0) / 1000);
  parentPort.postMessage(null);
}`;

const ticks: Tick[] = [];
const request = new Int32Array(new SharedArrayBuffer(8));
let timer: Worker | undefined;
/** What the next tick waits for. */
let next: "nothing" | "a turn" | "the clock" = "nothing";
let lastStart = 0;

/**
 * Calls a function of Dawn that starts an asynchronous task, and sees to it that the task is waited for without a busy core. The
 * process stays alive until the task is done. What a tick throws is an uncaught exception, as it is without this.
 */
export function paced<T>(start: () => T): T {
  lastStart = performance.now();
  try {
    return catchTicks(start);
  } finally {
    schedule();
  }
}

function catchTicks<T>(call: () => T): T {
  const { setImmediate } = globalThis;
  globalThis.setImmediate = ((tick: Tick) => ticks.push(tick)) as unknown as typeof setImmediate;
  try {
    return call();
  } finally {
    globalThis.setImmediate = setImmediate;
  }
}

function schedule(): void {
  if (next === "a turn" || ticks.length === 0) return;
  const waited = performance.now() - lastStart;
  // Work that has just begun does not wait for a pause that began before.
  if (waited < promptFor) {
    next = "a turn";
    soon(runTick);
    return;
  }
  if (next === "the clock") return;
  next = "the clock";
  timer ??= new Worker(clock, { eval: true, workerData: request, execArgv: [], env: {} }).on("message", () => {
    timer?.unref();
    if (next === "the clock") runTick();
  });
  timer.ref();
  Atomics.store(request, 0, 1000 * Math.min(pause.most, Math.max(pause.least, pause.share * waited)));
  Atomics.notify(request, 0);
}

function runTick(): void {
  next = "nothing";
  try {
    catchTicks(ticks.shift()!);
  } finally {
    schedule();
  }
}
