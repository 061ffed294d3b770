import { batchOf } from "@lethe/decoder";
import { type Ops, ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { warmLlama } from "@lethe/testing/llama";
import { expect, test } from "vitest";
import { Tape } from "../src/index.ts";

const device = await testDevice();

test.each([
  ["fused", ops],
  ["plain", { ...ops }],
] satisfies [string, Ops][])(
  "the gradients of a few rows' losses are those of a pass over all rows, with %s operations",
  async (_, base) => {
    using model = warmLlama(device, 1);
    using batch = batchOf(device, [
      [3, 9, 4, 1, 2, 8],
      [7, 5, 6],
    ]);
    const parameters = [...model.weights];
    const gradientsOf = async (rows: readonly number[], labels: readonly number[]) => {
      using _scope = device.scope("test");
      using tape = new Tape(base);
      tape.watch(parameters.map(([, weight]) => weight));
      const loss = device.scoped("forward", () =>
        model.losses(batch, device.tensor(labels, [labels.length], "i32"), {
          ops: tape.ops,
          rows: device.tensor(rows, [rows.length], "u32"),
          reduction: "mean",
        }),
      );
      const gradients = tape.backward(loss);
      return Promise.all(parameters.map(([, weight]) => gradients.get(weight)!.read()));
    };
    const places = [batch.row(1, 1), batch.row(0, 2), batch.row(0, 5)];
    const all = Array.from({ length: batch.ids.size }, (_, row) => row);
    const label = (row: number) => (places.includes(row) ? (row % 50) + 1 : -100);
    const some = await gradientsOf(places, places.map(label));
    const whole = await gradientsOf(all, all.map(label));
    expect(places.length).toBeLessThan(all.length / 2);
    for (const [i, [name]] of parameters.entries())
      expectClose(some[i]!, whole[i]!, { atol: 1e-6, label: `gradient of ${name}` });
  },
);
