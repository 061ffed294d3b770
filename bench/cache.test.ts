import { expect, test } from "vitest";
import { copyBytes } from "./cache.ts";

const MB = 2 ** 20;

test("the copy kernel moves four times what a processor's last-level cache holds, as far as a binding allows", () => {
  expect(2 * copyBytes({ software: true, maxBindingBytes: 1024 * MB }, 32 * MB)).toBe(4 * 32 * MB);
  expect(copyBytes({ software: true, maxBindingBytes: 128 * MB }, 256 * MB)).toBe(128 * MB);
});

test("on a GPU, and where the cache's size is unknown, it moves a fixed amount", () => {
  expect(copyBytes({ software: false, maxBindingBytes: 1024 * MB }, 32 * MB)).toBe(256 * MB);
  expect(copyBytes({ software: true, maxBindingBytes: 1024 * MB }, null)).toBe(256 * MB);
});
