import { methods, settings as restorationSettings } from "@lethe/unlearn";
import { PRESETS, presets } from "../../cells/presets.ts";
import { controlKinds } from "../../commands/experiment/choose.ts";
import { studies } from "../../studies/list.ts";
import { markOf } from "../../studies/restoration/figure.ts";
import { bundledNames } from "../bundled.ts";
import { settingsSchema } from "../settings.ts";
import type { Catalogue } from "./messages.ts";

/** What can be chosen, from the lists of the laboratory. The page itself has none of them, so that it is light. */
export function catalogue(): Catalogue {
  return {
    usual: settingsSchema.parse({}),
    models: bundledNames,
    methods: methods.map(({ name, title, source }) => ({ name, title, source })),
    presets: PRESETS.map((name) => ({ name, ...presets[name].evaluation })),
    controls: controlKinds.map(({ kind, description }) => ({ name: kind, title: kind, description })),
    studies: studies.map(({ name, title }) => ({ name, title, description: "" })),
    restorations: restorationSettings.map((setting) => ({
      name: setting.name,
      label: setting.label,
      place: markOf(setting).place,
    })),
  };
}
