import { Decoder } from "@lethe/decoder";
import { instanceOf, type Kind, optional } from "@lethe/tensor/checked";

// What several functions take.
export const decoder = instanceOf(Decoder);
export const signal = optional(instanceOf(AbortSignal));

const isTokens = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every((id) => Number.isSafeInteger(id) && id >= 0);
const isPrompt = (value: unknown) => typeof value === "string" || isTokens(value);

export const prompt: Kind = { wanted: "a text or an array of token ids", accepts: isPrompt };
export const prompts: Kind = {
  wanted: "a prompt (a text or an array of token ids) or an array of prompts",
  accepts: (value) => isPrompt(value) || (Array.isArray(value) && value.length > 0 && value.every(isPrompt)),
};
export const selector: Kind = {
  wanted: "a site, a point's name, a pattern of names or a test of points",
  accepts: (value) => typeof value === "string" || typeof value === "function" || value instanceof RegExp,
};
/** Tokens: one, or one for each sequence. */
export const tokenOrTokens: Kind = {
  wanted: "a token id or an array of token ids",
  accepts: (value) => isTokens([value].flat()),
};
