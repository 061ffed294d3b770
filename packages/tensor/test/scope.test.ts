import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import { LetheError, ReleasedError } from "../src/index.ts";

const device = await testDevice();

test("a scope releases the tensors that were made in it, except those that it keeps", async () => {
  const scope = device.scope("inner");
  const gone = device.tensor([1], [1], "f32", "gone");
  const kept = scope.keep(device.tensor([2], [1]));
  scope[Symbol.dispose]();
  expect(gone.released).toBe(true);
  expect(await kept.item()).toBe(2);
});

test("a tensor that the inner scope keeps belongs to the outer one", () => {
  const outer = device.scope("outer");
  const inner = device.scope("inner");
  const tensor = inner.keep(device.tensor([1], [1]));
  inner[Symbol.dispose]();
  expect(tensor.released).toBe(false);
  outer[Symbol.dispose]();
  expect(tensor.released).toBe(true);
});

test("a tensor that every scope keeps is left to the caller", () => {
  const outer = device.scope("outer");
  const inner = device.scope("inner");
  const tensor = outer.keep(inner.keep(device.tensor([1], [1])));
  inner[Symbol.dispose]();
  outer[Symbol.dispose]();
  // The scope of the test itself is still open.
  expect(tensor.released).toBe(false);
});

test("a tensor of a scope that is disposed of early gives its buffer back once", () => {
  const before = device.memory().bytesInUse;
  {
    using _scope = device.scope("early");
    const tensor = device.tensor([1], [1]);
    tensor.dispose();
    expect(device.memory().bytesInUse).toBe(before);
  }
  expect(device.memory().bytesInUse).toBe(before);
});

test("scopes close in the reverse of the order in which they opened", () => {
  const outer = device.scope("outer");
  const inner = device.scope("inner");
  expect(() => outer[Symbol.dispose]()).toThrow(LetheError);
  expect(() => outer[Symbol.dispose]()).toThrow(/scope "outer" closed while "inner", opened inside it, is open/);
  inner[Symbol.dispose]();
  outer[Symbol.dispose]();
  // Closing twice is harmless.
  outer[Symbol.dispose]();
});

test("a scope works across await, and closes when its block throws", async () => {
  const before = device.memory().bytesInUse;
  const work = async () => {
    using _ = device.scope("failing");
    const tensor = device.tensor([1], [1]);
    await tensor.read();
    throw new Error("out of the block");
  };
  await expect(work()).rejects.toThrow("out of the block");
  expect(device.memory().bytesInUse).toBe(before);
});

test("scoped keeps the one tensor it returns", async () => {
  const before = device.memory().live.get("temporary");
  const result = device.scoped("work", () => {
    device.tensor([1], [1], "f32", "temporary");
    return device.tensor([2], [1]);
  });
  expect(await result.item()).toBe(2);
  expect(device.memory().live.get("temporary")).toEqual(before);
});

test("a released tensor says its label and what to do", async () => {
  const scope = device.scope("short");
  const tensor = device.tensor([1, 2], [2], "f32", "logits");
  scope[Symbol.dispose]();
  expect(() => tensor.storage).toThrow(ReleasedError);
  expect(() => tensor.reshape([2, 1])).toThrow(
    /logits \[2\] was used after its release; keep it with `scope.keep\(tensor\)`/,
  );
  await expect(async () => tensor.read()).rejects.toThrow(ReleasedError);
});
