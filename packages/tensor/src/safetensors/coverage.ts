import { quote } from "../excerpt.ts";
import type { TensorEntry } from "./entry.ts";
import { SafetensorsError } from "./error.ts";

/**
 * Checks that the tensors of a file, in file order, follow one another from the first byte of the data to the last. A hole could
 * hide anything, and where tensors overlap, a change to one would change the other.
 *
 * @throws SafetensorsError of kind `overlap`, `hole`, `out-of-range` or `truncated`.
 */
export function checkCoverage(
  tensors: readonly TensorEntry[],
  dataStart: number,
  dataBytes: number,
  file: string,
): void {
  let end = 0;
  let previous: string | undefined;
  for (const { name, offset, bytes } of tensors) {
    const begin = offset - dataStart;
    if (begin !== end) {
      const kind = begin < end ? "overlap" : begin > dataBytes ? "out-of-range" : "hole";
      const after = previous === undefined ? "as the first tensor" : `after ${quote(previous)}`;
      throw new SafetensorsError(kind, { file, tensor: name }, `its data begin at ${begin}`, `${end}, ${after}`);
    }
    end = begin + bytes;
    previous = name;
  }
  if (end > dataBytes) {
    const problem = `the header describes ${end} bytes of data, and the file has ${dataBytes}`;
    throw new SafetensorsError("truncated", { file, tensor: previous }, problem, "all of them; fetch it again");
  }
  if (end < dataBytes) {
    const problem = `${dataBytes - end} bytes at the end of the file belong to no tensor`;
    throw new SafetensorsError("hole", file, problem, "data that the tensors cover exactly");
  }
}
