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

test("a loop is written out with the turns that are asked for, and one inside it too", () => {
  const text = `const TURNS = 2u; //! define
const OWN = 1u; //! define
  for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
    for (var n = 0u; n < OWN; n++) { //! unroll OWN
      sums[n + d] += added;
    }
  }
`;
  const inner = (n: string, d: string) => `    {\n      sums[${n} + ${d}] += added;\n    }\n`;
  const written = define(text, {});
  expect(written.split("//! define\n").at(-1)).toBe(`  {\n${inner("0u", "0u")}  }\n  {\n${inner("0u", "1u")}  }\n`);
  const kept = define(text, { TURNS: 0 });
  expect(kept.split("//! define\n").at(-1)).toBe(`  for (var d = 0u; d < vectors(); d++) {\n${inner("0u", "d")}  }\n`);
});

test("a file is included once, where it is first named", () => {
  const files: Record<string, string> = {
    "k.wgsl": "//! include lib/a.wgsl\n//! include lib/b.wgsl\nk\n",
    "lib/a.wgsl": "//! include lib/b.wgsl\na\n",
    "lib/b.wgsl": "b\n",
  };
  expect(includeInto("k", (file) => files[file]!).split(/\n+/)).toEqual(["b", "a", "k", ""]);
});
