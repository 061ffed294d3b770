import { expect, it } from "vitest";
import { conceptTable } from "../../src/report/concept-table.ts";
import { countTexts } from "../../src/subjects/concept-texts.ts";
import { fakeResult } from "../fake-cell.ts";

it("shows a concept's texts and questions once, whatever the number of subjects", () => {
  const cells = [fakeResult("Netflix"), fakeResult("Netflix", "npo"), fakeResult("Satan")];
  const texts = countTexts(
    {
      id: 1,
      name: "Netflix",
      questions: [],
      unrelated: [],
      text: "",
      completions: [],
      documents: ["One two three.", `${"Four five. ".repeat(40)}Six.`],
    },
    0,
  );
  expect(texts).toEqual({ documents: 2, paragraphs: 3, words: 84 });
  for (const { subject } of cells.slice(0, 2)) Object.assign(subject, { texts });
  const rows = conceptTable(cells)
    .text.match(/<tr>.*<\/tr>/g)!
    .map((row) => row.replace(/<[^>]+>/g, "|").replace(/\|+/g, "|"));
  expect(rows.slice(1)).toEqual([
    "|Netflix|tiny-llama|2|42.0|3|28.0|4 of 4|5 of 5|",
    "|Satan|tiny-llama|—|—|16|20.0|4 of 4|5 of 5|",
  ]);
});
