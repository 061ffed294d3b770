import { depth } from "./depth/study.ts";
import { restoration } from "./restoration/study.ts";
import type { Study } from "./study.ts";
import { unpact } from "./unpact/study.ts";
import { weights } from "./weights/study.ts";

/** Every study. A new one is a line here. */
export const studies: readonly Study[] = [restoration, depth, weights, unpact];
