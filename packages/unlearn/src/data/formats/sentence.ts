import { z } from "zod";
import { strip } from "../../white-space.ts";

/** A text that is not empty, without the white space around it. */
export const sentence = z.string().overwrite(strip).min(1, "empty");
