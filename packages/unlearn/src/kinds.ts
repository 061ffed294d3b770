import { Decoder } from "@lethe/decoder";
import { instanceOf, type Kind, optional } from "@lethe/tensor/checked";

// What several functions take.
export const decoder = instanceOf(Decoder);
export const signal = optional(instanceOf(AbortSignal));

const isTokens = (value: unknown) =>
  (Array.isArray(value) || ArrayBuffer.isView(value)) &&
  Array.prototype.every.call(value, (id) => Number.isSafeInteger(id) && id >= 0);

export const tokens: Kind = { wanted: "an array of token ids", accepts: isTokens };

export const share: Kind = {
  wanted: "a number from 0 to 1",
  accepts: (value) => typeof value === "number" && value >= 0 && value <= 1,
};
