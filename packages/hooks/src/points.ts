import leven from "leven";
import { HookError } from "./errors.ts";
import { type Site, siteNames, sites } from "./sites.ts";

/** One place in a model: a site and, where the site is in a block, a layer. */
export interface HookPoint {
  readonly site: Site;
  /** From 0; `null` for a site outside the blocks. */
  readonly layer: number | null;
  /** Lethe's name: `m.3`, `logits`. */
  readonly name: string;
  /** TransformerLens's name: `blocks.3.mlp.hook_post`. */
  readonly alias: string | undefined;
}

/**
 * The points of a hook: a site's name; a point's name or alias, in which `*` stands for any characters, as in `blocks.*.attn.hook_*`; a
 * regular expression that finds something in a name or an alias; or a test of points.
 */
export type PointSelector = Site | (string & {}) | RegExp | ((point: HookPoint) => boolean);

/** The point of a site; `layer` is null for a site outside the blocks. */
export function pointAt(site: Site, layer: number | null): HookPoint {
  const { alias } = sites[site];
  if (layer === null) return { site, layer, name: site, alias };
  return { site, layer, name: `${site}.${layer}`, alias: alias && `blocks.${layer}.${alias}` };
}

/**
 * Points of a decoder in the order of its forward pass.
 * @param layers the layers that are run: from `first` up to, but not including, `end`
 * @param absent sites that the decoder's family does not have
 */
export function pointsOf(
  layers: { readonly first: number; readonly end: number },
  absent: readonly Site[] = [],
): HookPoint[] {
  const firstInBlock = siteNames.findIndex((site) => sites[site].inBlock);
  const outside = (names: readonly Site[]) =>
    names.filter((site) => !sites[site].inBlock).map((site) => pointAt(site, null));
  const points = outside(siteNames.slice(0, firstInBlock));
  const inBlock = siteNames.filter((site) => sites[site].inBlock && !absent.includes(site));
  for (let layer = layers.first; layer < layers.end; layer++) {
    points.push(...inBlock.map((site) => pointAt(site, layer)));
  }
  return [...points, ...outside(siteNames.slice(firstInBlock))];
}

/**
 * The points among `points` that a selector names.
 * @throws {HookError} when there is none, or none in one of `layers`. The message names near matches, or the layers of this run.
 */
export function selectPoints(
  points: readonly HookPoint[],
  selector: PointSelector,
  layers: readonly number[] | undefined,
): HookPoint[] {
  const named = points.filter(matcherOf(selector));
  if (named.length === 0) throw new HookError(nothingNamed(points, selector));
  const absent = layers?.find((layer) => !named.some((point) => point.layer === layer));
  if (absent === undefined) return layers ? named.filter(({ layer }) => layers.includes(layer!)) : named;
  const found = named.map(({ layer }) => layer);
  const what = showSelector(selector);
  throw new HookError(
    found[0] === null
      ? `${what} is outside the blocks and has no layer; layer ${absent} was asked for`
      : `${what}: layer ${absent} was asked for, and this run has ${showLayers(found as number[])}`,
  );
}

/** The point with this name or alias, in any model; `undefined` where there is none. */
export function parsePoint(name: string): HookPoint | undefined {
  const digits = /^blocks\.(\d+)\.|\.(\d+)$/.exec(name);
  const layer = digits && Number(digits[1] ?? digits[2]);
  return siteNames
    .filter((site) => sites[site].inBlock === (layer !== null))
    .map((site) => pointAt(site, layer))
    .find((point) => point.name === name || point.alias === name);
}

/** A selector in words, for errors. */
export function showSelector(selector: PointSelector): string {
  return typeof selector === "function" ? "the points chosen" : String(selector);
}

function matcherOf(selector: PointSelector): (point: HookPoint) => boolean {
  if (typeof selector === "function")
    return (point) => {
      const chosen: unknown = selector(point);
      if (typeof chosen === "boolean") return chosen;
      throw new HookError(
        `the hook's test of points returned ${chosen} for ${point.name}; expected true or false, at once`,
      );
    };
  const pattern = patternOf(selector);
  if (pattern) return ({ name, alias }) => pattern.test(name) || (alias !== undefined && pattern.test(alias));
  return ({ site, name, alias }) => selector === site || selector === name || selector === alias;
}

function patternOf(selector: string | RegExp): RegExp | undefined {
  // The flags g and y make `test` go on from where it last found something.
  if (selector instanceof RegExp) return new RegExp(selector.source, selector.flags.replace(/[gy]/g, ""));
  if (!selector.includes("*")) return undefined;
  const parts = selector.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}

function nothingNamed(points: readonly HookPoint[], selector: PointSelector): string {
  if (typeof selector === "function") return `the hook's test accepts none of this run's ${points.length} hook points`;
  if (patternOf(selector))
    return `no hook point of this run has a name like ${selector}; the sites are ${siteNames.join(", ")}`;
  // What is no pattern is a string.
  return noSuchName(points, String(selector));
}

function noSuchName(points: readonly HookPoint[], selector: string): string {
  const known = parsePoint(selector);
  if (known) {
    const layers = points.filter(({ site }) => site === known.site).map(({ layer }) => layer);
    return layers.length === 0
      ? `this run does not come to the hook point ${selector}`
      : `${selector}: this run has ${showLayers(layers as number[])} of ${known.site}`;
  }
  const spellings = ({ site, name, alias }: HookPoint) => [/\.\d+$/.test(selector) ? name : site, alias ?? site];
  const names = new Set(points.flatMap(spellings));
  const near = [...names]
    .map((name) => ({ name, distance: leven(name.toLowerCase(), selector.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, name.length / 3))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => `"${name}"`);
  const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : `the sites are ${siteNames.join(", ")}`;
  return `there is no hook point "${selector}"; ${hint}`;
}

function showLayers(layers: readonly number[]): string {
  const [first, last] = [Math.min(...layers), Math.max(...layers)];
  return first === last ? `layer ${first} alone` : `layers ${first} to ${last}`;
}
