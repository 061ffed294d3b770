import { checked, type Kind, options, text } from "@lethe/tensor/checked";
import { named } from "../../named.ts";
import type { About, Context } from "./context.ts";
import { page } from "./page.ts";
import { role } from "./role.ts";
import { story } from "./story.ts";

/** Every context of Lethe. A new one is a file in this folder and an entry here. */
export const contexts: readonly Context[] = [role, story, page];

/**
 * The context of a name.
 * @throws {LetheError} when there is none, naming the nearest
 * @function
 */
export const contextNamed = checked(
  "contextNamed",
  { name: text },
  (name: string): Context => named("context", contexts, name),
);

const context: Kind = {
  wanted: "the name of a context, or a context",
  accepts: (value) => typeof value === "string" || typeof (value as Context | null)?.apply === "function",
};

/**
 * A question with something before it that is about its concept.
 * @throws {LetheError} when there is no context of this name
 * @function
 */
export const placeInContext = checked(
  "placeInContext",
  { context, question: text, about: options({ concept: text, text }) },
  (context: string | Context, question: string, about: About): string =>
    (typeof context === "string" ? contextNamed(context) : context).apply(question, about),
);
