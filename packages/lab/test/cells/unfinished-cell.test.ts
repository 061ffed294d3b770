import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Weight } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { FolderStore } from "../../src/cells/folder-store.ts";
import { keepEveryMinute, UnfinishedCell, type UnfinishedCellParts } from "../../src/cells/unfinished-cell.ts";

const device = await testDevice();
const notes = z.strictObject({ step: z.number() });

let folder: string;
let remarks: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lethe-unfinished-"));
  remarks = [];
});
afterEach(() => rm(folder, { recursive: true }));

function cell(changes: Partial<UnfinishedCellParts> = {}, signal = new AbortController().signal): UnfinishedCell {
  return new UnfinishedCell({
    store: new FolderStore(folder).unfinished,
    id: "a-cell",
    adapter: "an adapter",
    policy: () => true,
    watcher: { progress: () => {}, remark: (line) => remarks.push(line), signal },
    ...changes,
  });
}

const path = () => join(folder, "unfinished", "a-cell.safetensors");
/** NaN with bits of its own, minus zero and a denormal: what arithmetic might change. */
const odd = new Float32Array(new Uint32Array([0x7fc12345, 0x80000000, 1, 0x3f800001]).buffer);
const matrix = (values: ArrayLike<number>) => device.tensor(values, [2, 2], "f32", "matrix");

describe("the unfinished work of a cell", () => {
  it("comes back bit for bit, and each save replaces the one before", async () => {
    const [w, moment] = [matrix([1, 2, 3, 4]), device.tensor([5, 6, 7], [3], "f32", "moment")];
    device.writeBytes(w, 0, new Uint8Array(odd.buffer));
    const first = cell();
    expect(await first.load(notes)).toBeUndefined();
    await first.save({ step: 1 }, new Map([["w", moment]]));
    await first.save(
      { step: 2 },
      new Map<string, Weight>([
        ["w", w],
        ["a moment", moment],
      ]),
    );
    expect(await readdir(join(folder, "unfinished"))).toEqual(["a-cell.safetensors"]);

    const second = cell();
    const kept = (await second.load(notes))!;
    expect(kept.notes).toEqual({ step: 2 });
    const [back, other] = [matrix([0, 0, 0, 0]), device.tensor([0, 0, 0], [3], "f32", "other")];
    await kept.restore(
      new Map<string, Weight>([
        ["w", back],
        ["a moment", other],
      ]),
    );
    await second.close();
    expect(new Uint8Array((await back.read()).buffer)).toEqual(new Uint8Array(odd.buffer));
    expect([...(await other.read())]).toEqual([5, 6, 7]);
    expect(remarks).toEqual([]);
  });

  it.each<[string, RegExp, Partial<UnfinishedCellParts>, ((bytes: Buffer) => Buffer)?]>([
    [
      "was kept on another adapter",
      /was kept on an adapter, and another adapter's last bits differ; the cell starts anew/,
      { adapter: "b" },
    ],
    ["is cut off", /cannot be used .*; the cell starts anew/, {}, (bytes) => bytes.subarray(0, -5)],
    ["is empty", /cannot be used .*; the cell starts anew/, {}, () => Buffer.alloc(0)],
    ["has one bit that is wrong", /is damaged: its bytes are not those/, {}, (bytes) => flip(bytes, -33)],
    [
      "has a wrong note",
      /is damaged: its bytes are not those/,
      {},
      (bytes) => edit(bytes, '\\"step\\":1', '\\"step\\":3'),
    ],
    [
      "is of another version",
      /has format version 9; this Lethe reads 1/,
      {},
      (bytes) => edit(bytes, 'version":"1', 'version":"9'),
    ],
    ["is another cell's", /is of b-cell; the cell/, {}, (bytes) => edit(bytes, "a-cell", "b-cell")],
  ])("is not used when it %s, and a remark says so", async (_, message, changes, damage) => {
    await cell().save({ step: 1 }, new Map([["w", matrix([1, 2, 3, 4])]]));
    if (damage) await writeFile(path(), damage(await readFile(path())));
    const next = cell(changes);
    expect(await next.load(notes)).toBeUndefined();
    expect(remarks).toEqual([expect.stringMatching(message)]);
    await next.save({ step: 1 }, new Map([["w", matrix([1, 2, 3, 4])]]));
    await next.close();
    const last = cell(changes);
    expect((await last.load(notes))?.notes).toEqual({ step: 1 });
    await last.close();
  });

  it("is not used when its notes are of another kind, or it holds other tensors", async () => {
    await cell().save({ step: "first" }, new Map([["w", matrix([1, 2, 3, 4])]]));
    const other = cell();
    expect(await other.load(notes)).toBeUndefined();
    expect(remarks).toEqual([expect.stringContaining("is of another Lethe: ")]);
    await other.close();
    await cell().save({ step: 1 }, new Map([["w", matrix([1, 2, 3, 4])]]));
    const next = cell();
    const kept = (await next.load(notes))!;
    await expect(kept.restore(new Map([["v", matrix([0, 0, 0, 0])]]))).rejects.toThrow("does not hold v. Delete it");
    const flat = device.tensor([0, 0, 0, 0], [4], "f32", "flat");
    await expect(kept.restore(new Map([["w", flat]]))).rejects.toThrow("holds w [2,2], which is not trained");
    await next.close();
  });

  it("is not kept on a full disk: a remark says so once, the work goes on, and what was kept stays", async () => {
    const tensors = new Map([["w", matrix([1, 2, 3, 4])]]);
    await cell().save({ step: 1 }, tensors);
    const store = new FolderStore(folder).unfinished;
    const full = async () => {
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    };
    const unlucky = cell({ store: { ...store, write: full } });
    for (const step of [2, 3]) await unlucky.save({ step }, tensors);
    expect(remarks).toEqual([expect.stringMatching(/cannot be written \(ENOSPC: .*\); the cell goes on without it/)]);
    const next = cell();
    expect((await next.load(notes))!.notes).toEqual({ step: 1 });
    await next.close();
  });

  it("stops being kept when the run is stopped, with the reason", async () => {
    const controller = new AbortController();
    const stopped = cell({}, controller.signal);
    controller.abort(new Error("enough"));
    await expect(stopped.save({ step: 1 }, new Map([["w", matrix([1, 2, 3, 4])]]))).rejects.toThrow("enough");
    expect(await readdir(join(folder, "unfinished"))).toEqual([]);
    expect(remarks).toEqual([]);
  });

  it("is led nowhere else by a link that somebody planted", async () => {
    await mkdir(join(folder, "elsewhere"));
    await symlink(join(folder, "elsewhere"), join(folder, "unfinished"));
    await cell().save({ step: 1 }, new Map([["w", matrix([1, 2, 3, 4])]]));
    expect(remarks).toEqual([expect.stringContaining("unfinished is a link, and could lead elsewhere")]);
    expect(await readdir(join(folder, "elsewhere"))).toEqual([]);
  });
});

it("work is kept after a minute, and for a tenth of the time at most", () => {
  expect([59_999, 60_000].map((since) => keepEveryMinute(since, 0))).toEqual([false, true]);
  expect([99_999, 100_000].map((since) => keepEveryMinute(since, 10_000))).toEqual([false, true]);
});

function flip(bytes: Buffer, at: number): Buffer {
  bytes[bytes.length + at]! ^= 1;
  return bytes;
}

function edit(bytes: Buffer, from: string, to: string): Buffer {
  const at = bytes.indexOf(from);
  expect(at).toBeGreaterThan(0);
  bytes.write(to, at);
  return bytes;
}
