import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { formatDuration, showProgress } from "../../src/commands/progress.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

const id = "tiny-llama--netflix--npo--0123abcd";

describe("progress away from a terminal", () => {
  it("is a plain line now and then, with the time left", () => {
    const stream = new PassThrough();
    const display = showProgress(stream as unknown as NodeJS.WriteStream, 4);
    for (let second = 0; second < 60; second++) {
      vi.advanceTimersByTime(1000);
      display.update(second / 60, id, "unlearning");
    }
    display.stop();
    expect(String(stream.read()).split("\n")).toEqual([
      "12% · 3 min 38 s left · tiny-llama--netflix--npo--0123abcd · unlearning",
      "24% · 3 min 04 s left · tiny-llama--netflix--npo--0123abcd · unlearning",
      "",
    ]);
  });
});

it.each([
  [0.4, "0 s"],
  [59.6, "1 min 00 s"],
  [200, "3 min 20 s"],
  [7500, "2 h 05 min"],
])("%d seconds are %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));
