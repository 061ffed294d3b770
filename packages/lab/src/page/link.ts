import type { Settings } from "./settings.ts";

/**
 * The hash of a link that restores settings.
 * @param usual the settings of a page without a hash: what is as there is left out
 */
export function hashOf(settings: Settings, usual: Settings): string {
  const entries = Object.entries(settings).filter(
    ([field, value]) => value !== undefined && `${value}` !== `${usual[field as keyof Settings]}`,
  );
  return new URLSearchParams(entries.map(([field, value]) => [field, `${value}`])).toString();
}
