import type { Tensor } from "@lethe/tensor";
import type { z } from "zod";

/** What was kept of a cell's unfinished work. */
export interface Kept<T> {
  readonly notes: T;
  /**
   * Writes the kept values into tensors of the same names, dtypes and shapes, bit for bit. Called at most once.
   * @throws LetheError when the tensors are not those that were kept
   */
  restore(tensors: ReadonlyMap<string, Tensor>): Promise<void>;
}

/** Keeps a cell's unfinished work, so that a run that is killed goes on where it was. */
export interface Unfinished {
  /**
   * What an earlier run kept, `undefined` where there is nothing or where it cannot be used; a remark then says why. The time until the work
   * is worth keeping counts from here.
   * @param notes the schema of what {@link Unfinished.save} was given
   */
  load<T>(notes: z.ZodType<T>): Promise<Kept<T> | undefined>;
  /** Seconds that it takes to keep these tensors, measured on a part of them. What is kept stays as it is. */
  rehearse(tensors: ReadonlyMap<string, Tensor>): Promise<number>;
  /** Whether so much was done since it was last kept that keeping it is worth its time. */
  due(): boolean;
  /**
   * Keeps the work as it is now, in place of what was kept before. Where that fails, a remark says so and the work goes on.
   * @param notes plain data, for JSON
   * @throws the signal's reason when the run is stopped meanwhile
   */
  save(notes: unknown, tensors: ReadonlyMap<string, Tensor>): Promise<void>;
}
