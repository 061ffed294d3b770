import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LetheError } from "@lethe/tensor";
import { writeWhole } from "@lethe/tensor/node";
import { describe, expect, it } from "vitest";
import { explain } from "../../src/commands/explain.ts";
import { CellError } from "../../src/errors.ts";

describe("an error in words", () => {
  it.each([
    ["ENOSPC", "the disk is full"],
    ["EDQUOT", "your share of the disk is used up"],
    ["EACCES", "this is not permitted"],
    ["EROFS", "nothing can be written there"],
    ["EISDIR", "a folder lies where a file should be"],
  ])("says what %s means and what to do, for the file that was asked for", async (code, meaning) => {
    const refused = Object.assign(new Error(`${code}: in the system's words, write`), { code, syscall: "write" });
    const folder = await mkdtemp(join(tmpdir(), "lethe-refused-"));
    try {
      const path = join(folder, "report.html");
      await writeFile(path, "old");
      const failing = (async function* () {
        yield new Uint8Array(3);
        throw refused;
      })();
      const error = await writeWhole(path, failing).catch((error) => error);
      expect(explain(error)).toMatch(new RegExp(`^error: ${path}: ${code}, ${meaning}\\. [^\\n]*\\.$`));
      expect(await readFile(path, "utf8")).toBe("old");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("is the system's message where Lethe knows none better", async () => {
    const error = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", syscall: "read" });
    expect(explain(error)).toBe("error: EIO: i/o error, read");
  });

  it("is the message of what was thrown on purpose, and the stack of a fault", () => {
    expect(explain(new LetheError("too large"))).toBe("error: too large");
    expect(explain(new TypeError("x is undefined"))).toMatch(/^TypeError: x is undefined\n\s+at /);
    const failed = new CellError("Cell a failed: x is undefined", { cause: new TypeError("x is undefined") });
    expect(explain(failed)).toMatch(/^error: Cell a failed: x is undefined\nTypeError: x is undefined\n\s+at /);
  });
});
