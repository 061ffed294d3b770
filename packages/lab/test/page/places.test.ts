import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Folder, readWholeText } from "@lethe/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DROPPED } from "../../src/page/bundled.ts";
import { Places } from "../../src/page/laboratory/places.ts";
import { serve } from "./serve.ts";

const CONFIG = '{"model_type":"llama"}';
const PATH = "/lab/";

describe("where the page's models come from", () => {
  let folder: string;
  let host: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lethe-places-"));
    await mkdir(join(folder, "models/tiny"), { recursive: true });
    await writeFile(join(folder, "models/tiny/config.json"), CONFIG);
    await writeFile(join(folder, "bundled.json"), '{"models":{"tiny":["config.json"]},"recipes":[]}');
    host = await serve(folder, PATH);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const textOf = async (model: Folder, file: string) => {
    const source = await model.open(file);
    return source && readWholeText(source);
  };

  it("finds bundled files below its own address, and none that are not there", async () => {
    const places = new Places(host.address, () => {});
    const model = await places.model("tiny");
    expect(model.name).toBe("tiny");
    expect(await textOf(model, "config.json")).toBe(CONFIG);
    expect(await textOf(model, "absent.json")).toBeUndefined();
    expect(await places.model("tiny")).toBe(model);
    await expect(places.model("other")).rejects.toThrow('There is no model "other"');
    await expect(places.text("data/none.json")).rejects.toThrow("answered 404");
  });

  it("counts what it reads of a directory that is elsewhere", async () => {
    const read: number[] = [];
    const model = await new Places(host.address, (bytes) => read.push(bytes)).model(`${host.address}models/tiny`);
    expect(await textOf(model, "config.json")).toBe(CONFIG);
    expect(await textOf(model, "absent.json")).toBeUndefined();
    expect(read.at(-1)).toBe(CONFIG.length);
  });

  it("takes files that were given, by the name of their folder", async () => {
    const places = new Places(host.address, () => {});
    await expect(places.model(DROPPED)).rejects.toThrow("Choose the folder");
    places.drop({ name: "mine", files: [new File([CONFIG], "config.json")] });
    const model = await places.model(DROPPED);
    expect(model.name).toBe("mine");
    expect(await textOf(model, "config.json")).toBe(CONFIG);
  });
});
