import type { TensorEntry } from "./entry.ts";
import { quote, SafetensorsError } from "./error.ts";

/**
 * The tensors of a file, in file order, must follow one another from the first byte of the data to the last. A hole could
 * hide anything, and an overlap would make one tensor's bytes another's.
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
      const problem = `its data begin at ${begin}`;
      throw new SafetensorsError(kind, { file, tensor: name, problem, expected: `${end}, ${after}` });
    }
    end = begin + bytes;
    previous = name;
  }
  if (end > dataBytes) {
    const problem = `the header describes ${end} bytes of data, and the file has ${dataBytes}`;
    throw new SafetensorsError("truncated", {
      file,
      tensor: previous,
      problem,
      expected: "all of them; fetch it again",
    });
  }
  if (end < dataBytes) {
    const problem = `${dataBytes - end} bytes at the end of the file belong to no tensor`;
    throw new SafetensorsError("hole", { file, problem, expected: "data that the tensors cover exactly" });
  }
}
