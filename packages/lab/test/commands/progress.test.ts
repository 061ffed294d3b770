import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { formatDuration } from "../../src/commands/duration.ts";
import { showFigures } from "../../src/commands/figures.ts";
import { showProgress } from "../../src/commands/progress.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "setInterval", "clearInterval"] }));
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
      "9% · 3 min 56 s left · tiny-llama--netflix--npo--0123abcd · unlearning",
      "20% · 3 min 20 s left · tiny-llama--netflix--npo--0123abcd · unlearning",
      "",
    ]);
  });

  it("comes also while nothing is reported, and not after the end", () => {
    const stream = new PassThrough();
    const display = showProgress(stream as unknown as NodeJS.WriteStream, 2);
    display.update(0.5, id, "answering", "loss 1.5");
    vi.advanceTimersByTime(70_000);
    display.line("a line that stays");
    vi.advanceTimersByTime(20_000);
    display.stop();
    vi.advanceTimersByTime(60_000);
    expect(String(stream.read()).split("\n")).toEqual([
      `25% · 1 min 15 s left · ${id} · answering · loss 1.5`,
      `25% · 2 min 30 s left · ${id} · answering · loss 1.5`,
      "a line that stays",
      "",
    ]);
  });

  it("takes the time left from a forecast, the less the more is done", () => {
    const stream = new PassThrough();
    const display = showProgress(stream as unknown as NodeJS.WriteStream, 1);
    display.expect(1000);
    // The first tenth takes twice as long as forecast.
    display.update(0, id, "unlearning");
    vi.advanceTimersByTime(25_000);
    display.update(0.1, id, "unlearning");
    vi.advanceTimersByTime(200_000 - 25_000 - 1);
    stream.read();
    display.update(0.1, id, "unlearning");
    vi.advanceTimersByTime(25_000);
    display.stop();
    // 0.9 · (0.9 · 1000 s + 200 s), and 1000 s without the forecast's share; by the share alone it would be 1800 s.
    expect(String(stream.read())).toContain("16 min 30 s left");
  });
});

it.each([
  [0.4, "0 s"],
  [59.6, "1 min 00 s"],
  [200, "3 min 20 s"],
  [7500, "2 h 05 min"],
])("%d seconds are %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

it("prints the figures that are known", () => {
  expect(showFigures({})).toEqual([]);
  const all = {
    step: { done: 3.4999, of: 30 },
    loss: -1.23456,
    bleu: { target: 0.451, unrelated: 0.8 },
    tokensPerSecond: 123.4,
  };
  expect(showFigures(all)).toEqual([
    "step 3.5 of 30",
    "loss -1.235",
    "BLEU target 0.45, unrelated 0.80",
    "120 tokens/s",
  ]);
});
