/** A process of its own that reads damaged files, one after another: native code may end it, and a loop without end may hold it. */
import { LetheError, openDevice, randomOf } from "@lethe/tensor";
import { mutate } from "./mutants.ts";
import { subjects } from "./subjects.ts";

/** Which mutants to read. */
export interface Task {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

/** What became of one mutant; before it is read, the file alone. */
export interface Outcome {
  readonly index: number;
  readonly file: string;
  readonly kind?: "loaded" | "typed error" | "other error";
  readonly message?: string;
  readonly ms?: number;
  /** By how much the process grew. */
  readonly grown?: number;
}

process.once("message", async ({ seed, from, to }: Task) => {
  const device = await openDevice();
  for (let index = from; index < to; index++) {
    const random = randomOf(seed, `mutant ${index}`);
    const { files, targets, read } = subjects[index % subjects.length]!;
    const file = targets[Math.floor(random() * targets.length)]!;
    const damaged = new Map(files).set(file, mutate(new TextDecoder().decode(files.get(file)), random));
    const tell = (outcome: Omit<Outcome, "index" | "file">) =>
      new Promise((sent) => process.send!({ index, file, ...outcome } satisfies Outcome, sent));
    await tell({});
    const [start, before] = [performance.now(), process.memoryUsage.rss()];
    const rest = await read(device, damaged).then(
      () => ({ kind: "loaded" as const, message: "" }),
      (error: unknown) =>
        error instanceof LetheError
          ? { kind: "typed error" as const, message: error.message }
          : { kind: "other error" as const, message: String((error as Error)?.stack ?? error) },
    );
    await tell({ ...rest, ms: performance.now() - start, grown: process.memoryUsage.rss() - before });
  }
  process.exit();
});
