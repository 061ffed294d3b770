import { setImmediate as soon } from "node:timers";
import { Worker } from "node:worker_threads";

// Dawn in Node looks for finished work in "ticks": functions that it hands to `globalThis.setImmediate`, one after another, as long
// as something is awaited. That keeps a core busy, on which a software adapter could compute. Here Dawn's ticks are caught and
// called at a slower pace. The global is another one only while Dawn's own call runs, so no other code ever sees it.

type Tick = () => void;

/** Work that is done within this time, in milliseconds, is found at full speed; most of it is done when it is asked for. */
const promptFor = 0.2;

/**
 * Pause between later ticks, in milliseconds. Decoding is as fast with 0.25 ms and with 1 ms; a short read would take longer with 1 ms.
 * Node's own timers cannot be shorter than that.
 */
const pause = 0.5;

// A thread that answers each request, a 1 in the shared word, with one message after the pause.
const clock = `
const { parentPort, workerData } = require("node:worker_threads");
for (;;) {
  Atomics.wait(workerData, 0, 0);
  Atomics.store(workerData, 0, 0);
  Atomics.wait(workerData, 0, 0, ${pause});
  parentPort.postMessage(null);
}`;

const ticks: Tick[] = [];
const request = new Int32Array(new SharedArrayBuffer(4));
let timer: Worker | undefined;
let scheduled = false;
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
  if (scheduled || ticks.length === 0) return;
  scheduled = true;
  if (performance.now() - lastStart < promptFor) {
    soon(runTick);
    return;
  }
  timer ??= new Worker(clock, { eval: true, workerData: request, execArgv: [], env: {} }).on("message", () => {
    timer?.unref();
    runTick();
  });
  timer.ref();
  Atomics.store(request, 0, 1);
  Atomics.notify(request, 0);
}

function runTick(): void {
  scheduled = false;
  try {
    catchTicks(ticks.shift()!);
  } finally {
    schedule();
  }
}
