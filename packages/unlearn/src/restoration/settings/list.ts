import { figure1 } from "./figure-1.ts";
import { figure3 } from "./figure-3.ts";

/** Every setting of Lethe, in the order of figures and tables. A new one is a file in this folder and an entry here. */
export const settings = [...figure1, ...figure3] as const;

export type SettingName = (typeof settings)[number]["name"];
