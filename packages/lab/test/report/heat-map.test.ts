import { expect, it } from "vitest";
import { heatMap } from "../../src/report/heat-map.ts";
import { style } from "../../src/report/style.ts";

const row = (values: readonly number[], marked = -1) => ({
  label: "vanilla",
  words: values.map((value, i) => ({ text: `w<${i}>`, value, marked: i === marked })),
  note: "a note",
});

/** Class and title of each word. */
const wordsOf = (text: string) =>
  Array.from(text.matchAll(/<span( class="([^"]*)")? title="([^"]*)">/g), ([, , classes = "", title]) => [
    classes,
    title,
  ]);

it("colours words by steps of the row's largest number, either sign with its own colour", () => {
  const { text } = heatMap("words", [row([0.8, -0.8, 0.21, -0.39, 0.05])], "nats", "key word");
  expect(wordsOf(text)).toEqual([
    ["more-4", "+0.80 nats"],
    ["less-4", "−0.80 nats"],
    ["more-1", "+0.21 nats"],
    ["less-2", "−0.39 nats"],
    ["", "+0.05 nats"],
  ]);
  for (const step of [1, 2, 3, 4]) for (const side of ["more", "less"]) expect(style).toContain(`.${side}-${step} {`);
});

it("shows what is marked without colours, and says every number aloud", () => {
  const { text } = heatMap("a <name>", [row([0.5, -0.25], 0), row([0, 0])], "nats", "key word");
  expect(wordsOf(text)).toEqual([
    ["more-4 marked", "+0.50 nats, key word"],
    ["less-2", "−0.25 nats"],
    ["", "0.00 nats"],
    ["", "0.00 nats"],
  ]);
  expect(text).toContain('aria-label="In nats: w&lt;0&gt; +0.50 (key word), w&lt;1&gt; −0.25"');
  expect(text).toContain('aria-label="a &lt;name&gt;"');
  expect(text).not.toContain("w<");
});
