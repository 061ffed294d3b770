import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { checkingValues, commandLine, number, wholeFrom } from "../../src/commands/command-line.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** A file of the repository as a process of its own. */
function start(file: string, args: readonly string[], stdout: "pipe" | number = "pipe") {
  return spawn(process.execPath, ["--conditions=lethe-source", "--import", "tsx", file, ...args], {
    cwd: root,
    stdio: ["ignore", stdout, "pipe"],
  });
}

/** The file of every npm script that is a program of ours. */
const COMMANDS = Object.fromEntries(
  Object.entries<string>(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts).flatMap(
    ([name, script]) => {
      const [, file] = /^node --conditions=lethe-source --import tsx (\S+)$/.exec(script) ?? [];
      return file ? [[name, file]] : [];
    },
  ),
) as { readonly experiment: string };

describe.each(Object.entries(COMMANDS))("npm run %s", (name, file) => {
  it("answers --help, and refuses what it does not know", async () => {
    const runs = ["--help", "--nonsense"].map(async (option) => {
      const child = start(file, [option]);
      const [out, err, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, "close")]);
      return { out, err, code };
    });
    const [help, unknown] = await Promise.all(runs);
    expect(help).toMatchObject({ code: 0, err: "", out: expect.stringContaining(`Usage: ${name} [options]`) });
    expect(unknown).toMatchObject({
      // Schedulers read the codes of the first two.
      code: ["experiment", "audit", "plan"].includes(name) ? 78 : 1,
      out: "",
      err: expect.stringMatching(/^error: .*\n\(--help lists the options\)\n$/),
    });
  });
});

describe("a program whose output goes nowhere", () => {
  it("ends without a word when its reader has ended", async () => {
    const child = start(COMMANDS.experiment, ["--help"]);
    child.stdout!.destroy();
    const [err, [code]] = await Promise.all([text(child.stderr!), once(child, "close")]);
    expect({ err, code }).toEqual({ err: "", code: 141 });
  });

  it.skipIf(process.platform !== "linux")("says so when the disk is full", async () => {
    const full = await open("/dev/full", "w");
    const child = start(COMMANDS.experiment, ["--help"], full.fd);
    const [err, [code]] = await Promise.all([text(child.stderr!), once(child, "close")]);
    await full.close();
    expect({ err, code }).toEqual({
      err: expect.stringMatching(/^error: write: ENOSPC, the disk is full.*\n$/),
      code: 1,
    });
  });
});

describe("the values of options", () => {
  afterEach(() => vi.unstubAllEnvs());
  const parsed = (...args: string[]) => {
    const command = commandLine("test", "")
      .option("--out <directory>")
      .option("--data <file>", "", "its default")
      .option("--model <model>")
      .option("--name <name>")
      .option("--count <number>", "", wholeFrom(1))
      .option("-t <number>", "", number);
    return checkingValues(command)
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .parse(args, { from: "user" })
      .opts();
  };

  it("are paths from the folder where the command was typed, a name in the Hugging Face cache being none", () => {
    const typed = ["--out", "a/b", "--model", "org/name", "--name", "x"];
    expect(parsed(...typed)).toEqual({ out: "a/b", data: "its default", model: "org/name", name: "x" });
    const models = join(root, "models");
    vi.stubEnv("INIT_CWD", models);
    expect(parsed(...typed)).toEqual({ out: join(models, "a/b"), data: "its default", model: "org/name", name: "x" });
    expect(parsed("--model", "tiny-llama", "--data", "/tmp/x.json")).toEqual({
      model: join(models, "tiny-llama"),
      data: "/tmp/x.json",
    });
    vi.stubEnv("INIT_CWD", resolve(""));
    expect(parsed("--out", "a")).toMatchObject({ out: "a" });
  });

  it.each([
    ["--out", ""],
    ["--name", ""],
    ["--count", ""],
    ["--count", " "],
    ["--count", "0"],
    ["--count", "1.5"],
    ["-t", "x"],
    ["-t", ""],
  ])("%s %j is refused", (option, value) => expect(() => parsed(option, value)).toThrow(/is invalid/));
});
