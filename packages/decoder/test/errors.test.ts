import { expect, test } from "vitest";
import { z } from "zod";
import { configError, schemaProblems } from "../src/index.ts";

test("a long field with many faults gives a short error at once", () => {
  const given = { list: Array.from({ length: 50_000 }, () => "x") };
  const { error } = z.object({ list: z.array(z.int()) }).safeParse(given);
  const { message } = configError("config.json", schemaProblems(error!, given));
  expect(message.split("\n")).toHaveLength(26);
  expect(message).toContain(`list.0 is ["x","x",`);
  expect(message).toContain("… and 49976 more");
  expect(message.length).toBeLessThan(5000);
});
