import { checked, text } from "@lethe/tensor/checked";
import { named } from "../../named.ts";
import { conceptVectors } from "./concept-vectors.ts";
import type { DataFormat } from "./format.ts";
import { museKnowmem } from "./muse-knowmem.ts";
import { museVerbmem } from "./muse-verbmem.ts";
import { tofu } from "./tofu.ts";
import { wmdp } from "./wmdp.ts";

/** Every format of data that Lethe reads. A new one is a file in this folder and an entry here. */
export const dataFormats: readonly DataFormat[] = [conceptVectors, tofu, museKnowmem, museVerbmem, wmdp];

/**
 * The format of a name.
 * @throws {LetheError} when there is none, naming the nearest
 * @function
 */
export const dataFormatNamed = checked(
  "dataFormatNamed",
  { name: text },
  (name: string): DataFormat => named("format", dataFormats, name),
);
