import { expect, test } from "vitest";
import { shardIndex, splitIntoShards } from "../src/checkpoint/saving/shards.ts";

const tensors = (...bytes: number[]) => bytes.map((bytes, i) => ({ name: `t${i}`, bytes }));
const split = (sizes: number[], most: number) =>
  splitIntoShards(tensors(...sizes), most).map(({ tensors }) => tensors.map(({ bytes }) => bytes));

test("tensors keep their order and fill each file up to the limit", () => {
  expect(split([4, 4, 2, 5, 5, 1], 10)).toEqual([[4, 4, 2], [5, 5], [1]]);
  expect(split([4, 4, 2], 10)).toEqual([[4, 4, 2]]);
  expect(split([6, 5], 10)).toEqual([[6], [5]]);
});

test("a tensor above the limit has a file of its own", () => {
  expect(split([1, 99, 1, 1, 50], 10)).toEqual([[1], [99], [1, 1], [50]]);
});

test("a single file has the plain name; several files are numbered", () => {
  expect(splitIntoShards(tensors(4), 10).map(({ file }) => file)).toEqual(["model.safetensors"]);
  expect(splitIntoShards(tensors(8, 8, 8), 10).map(({ file }) => file)).toEqual([
    "model-00001-of-00003.safetensors",
    "model-00002-of-00003.safetensors",
    "model-00003-of-00003.safetensors",
  ]);
});

test("the index locates every tensor", () => {
  expect(JSON.parse(shardIndex(splitIntoShards(tensors(8, 2, 8), 10)))).toEqual({
    metadata: { total_size: 18 },
    weight_map: {
      t0: "model-00001-of-00002.safetensors",
      t1: "model-00001-of-00002.safetensors",
      t2: "model-00002-of-00002.safetensors",
    },
  });
});
