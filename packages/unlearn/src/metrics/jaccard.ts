import { checked, wholeNumbers } from "@lethe/tensor/checked";

/**
 * Jaccard's index of two sets: how many elements both have, over how many one or the other has. From 0, nothing in common, to 1, equal.
 * @returns null where both are empty
 * @function
 */
export const jaccard = checked(
  "jaccard",
  { a: wholeNumbers, b: wholeNumbers },
  (a: readonly number[], b: readonly number[]): number | null => {
    const [first, second] = [new Set(a), new Set(b)];
    const common = [...first].filter((element) => second.has(element)).length;
    const all = first.size + second.size - common;
    return all === 0 ? null : common / all;
  },
);
