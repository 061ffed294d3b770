import { checked, type Kind, listOf, text } from "@lethe/tensor/checked";
import { named } from "../../named.ts";
import { capitals } from "./capitals.ts";
import type { Emphasis } from "./emphasis.ts";
import { focus } from "./focus.ts";
import { neutral } from "./neutral.ts";
import { quote } from "./quote.ts";
import { repeat } from "./repeat.ts";

/** Every emphasis of Lethe. A new one is a file in this folder and an entry here. {@link neutral} is none: it is their control. */
export const emphases: readonly Emphasis[] = [focus, repeat, quote, capitals];

/**
 * The emphasis of a name, or the control `neutral`.
 * @throws {LetheError} when there is none, naming the nearest
 * @function
 */
export const emphasisNamed = checked(
  "emphasisNamed",
  { name: text },
  (name: string): Emphasis => named("emphasis", [...emphases, neutral], name),
);

const emphasis: Kind = {
  wanted: "the name of an emphasis, or an emphasis",
  accepts: (value) => typeof value === "string" || typeof (value as Emphasis | null)?.apply === "function",
};

/**
 * A question with some of its words emphasised.
 * @param words words of the question, such as its key words; punctuation around them does not matter
 * @throws {LetheError} when there is no emphasis of this name
 * @function
 */
export const emphasise = checked(
  "emphasise",
  { emphasis, question: text, words: listOf(text) },
  (emphasis: string | Emphasis, question: string, words: readonly string[]): string =>
    (typeof emphasis === "string" ? emphasisNamed(emphasis) : emphasis).apply(question, words),
);
