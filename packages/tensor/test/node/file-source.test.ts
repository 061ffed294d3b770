import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileSource, openCheckpoint, readTextFile } from "@lethe/tensor/node";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { expectKind } from "../safetensors/build.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lethe-files-"));
  path = join(folder, "model.safetensors");
});
afterEach(() => rm(folder, { recursive: true }));

describe.runIf(process.platform !== "win32")("only a regular file is opened, and nothing is waited for:", () => {
  const kinds: [what: string, make: () => unknown][] = [
    ["a named pipe", () => execFileSync("mkfifo", [path])],
    ["a directory", () => mkdir(path)],
    ["a device", () => execFileSync("ln", ["-s", "/dev/zero", path])],
    [
      "a socket",
      async () => {
        const server = createServer();
        await new Promise<void>((listening) => server.listen(path, listening));
        onTestFinished(() => void server.close());
      },
    ],
  ];
  it.each(kinds)("%s", async (_, make) => {
    await make();
    for (const open of [() => fileSource(path), () => readTextFile(path), () => openCheckpoint(folder)]) {
      const { message } = await expectKind("io", open);
      expect(message).toContain("it is a directory, a pipe or a device, and not a file");
    }
  });
});

describe("a text file", () => {
  it("is read whole, without its byte-order mark; there may be none", async () => {
    await writeFile(path, "\ufeffé\ufeff");
    expect(await readTextFile(path)).toBe("é\ufeff");
    expect(await readTextFile(join(folder, "absent"))).toBeUndefined();
    expect(await readTextFile(join(path, "inside a file"))).toBeUndefined();
  });

  it("that is not UTF-8, or too large, is refused; what is too large is not read", async () => {
    await writeFile(path, Uint8Array.of(0x7b, 0xff, 0x7d));
    await expectKind("not-utf8", () => readTextFile(path));
    await truncate(path, 3e12);
    expect((await expectKind("too-large", () => readTextFile(path))).message).toContain("it has 3000000000000 bytes");
  });

  it("under a name that the system does not take is an error of Lethe's", async () => {
    await expectKind("io", () => readTextFile(join(folder, "a\0b")));
    await expectKind("io", () => readTextFile(join(folder, "a".repeat(5000))));
  });
});
