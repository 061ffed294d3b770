import { expect, test } from "vitest";
import { define, definesOf, includeInto } from "../src/gpu/include.ts";

const kernel = `const WIDE = 4u; //! define: elements of an item
alias Item = vec4f; //! if WIDE 4
alias Item = f32; //! if WIDE 1
override LANES: u32 = 8u;
`;

test("a defined constant gets its value, and lines stand for one value of it", () => {
  expect(definesOf(kernel)).toEqual(new Set(["WIDE"]));
  expect(define(kernel, {})).toBe(kernel.replace("alias Item = f32; //! if WIDE 1\n", ""));
  expect(define(kernel, { WIDE: 1, LANES: 4 })).toBe(
    kernel.replace("WIDE = 4u", "WIDE = 1u").replace("alias Item = vec4f; //! if WIDE 4\n", ""),
  );
});

test("a boolean is 0 or 1", () => {
  const text = "const ON = 0u; //! define\nalias A = f32; //! if ON 1\n";
  expect(define(text, { ON: false })).toBe("const ON = 0u; //! define\n");
  expect(define(text, { ON: true })).toBe("const ON = 1u; //! define\nalias A = f32; //! if ON 1\n");
});

test("a file is included once, where it is first named", () => {
  const files: Record<string, string> = {
    "k.wgsl": "//! include lib/a.wgsl\n//! include lib/b.wgsl\nk\n",
    "lib/a.wgsl": "//! include lib/b.wgsl\na\n",
    "lib/b.wgsl": "b\n",
  };
  expect(includeInto("k", (file) => files[file]!).split(/\n+/)).toEqual(["b", "a", "k", ""]);
});
