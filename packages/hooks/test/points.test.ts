import { describe, expect, test } from "vitest";
import { HookError, type HookPoint, parsePoint, pointAt, pointsOf, siteNames, sites } from "../src/index.ts";
import { selectPoints } from "../src/points.ts";

const points = pointsOf({ first: 0, end: 4 });

test("the points of a run are in the order of the pass, each with TransformerLens's name", () => {
  expect(points).toHaveLength(4 * 24 + 4);
  expect(points.slice(0, 3).map(({ name }) => name)).toEqual(["embed", "resid_pre.0", "ln1_scale.0"]);
  expect(points.at(-1)!.name).toBe("logits");
  expect(pointAt("m", 3)).toEqual({ site: "m", layer: 3, name: "m.3", alias: "blocks.3.mlp.hook_post" });
  expect(pointAt("A", 0).alias).toBe("blocks.0.hook_attn_out");
  expect(pointAt("ln_final", null).alias).toBe("ln_final.hook_normalized");
  expect(pointAt("W_V", 2).alias).toBeUndefined();
});

test("a part of a model has the points of its layers alone", () => {
  const layers = pointsOf({ first: 2, end: 4 }).flatMap(({ site, layer }) => (site === "m" ? [layer] : []));
  expect(layers).toEqual([2, 3]);
});

test("a family that lacks sites has no points for them", () => {
  const names = pointsOf({ first: 0, end: 2 }, ["ln1", "M_before_norm"]).map(({ name }) => name);
  expect(names).toHaveLength(2 * 22 + 4);
  expect(names).not.toContain("ln1.0");
  expect(names).toContain("A_before_norm.1");
});

test("every name and alias gives its point", () => {
  for (const point of points) {
    expect(parsePoint(point.name)).toEqual(point);
    if (point.alias) expect(parsePoint(point.alias)).toEqual(point);
  }
  for (const name of ["m", "logits.3", "blocks.3.mlp.hook_pots", "mlp.hook_post", "m.x"])
    expect(parsePoint(name)).toBeUndefined();
});

test("no two sites share a name", () => {
  const aliases = siteNames.flatMap((site) => sites[site].alias ?? []);
  expect(new Set([...siteNames, ...aliases]).size).toBe(siteNames.length + aliases.length);
});

describe("a selector", () => {
  const names = (...args: Parameters<typeof selectPoints> extends [unknown, ...infer R] ? R : never) =>
    selectPoints(points, ...args).map(({ name }) => name);

  test("is a site, in all layers or some", () => {
    expect(names("m", undefined)).toEqual(["m.0", "m.1", "m.2", "m.3"]);
    expect(names("A", [3, 1])).toEqual(["A.1", "A.3"]);
  });

  test("is one point's name or alias", () => {
    expect(names("M.2", undefined)).toEqual(["M.2"]);
    expect(names("blocks.1.hook_resid_mid", undefined)).toEqual(["resid_mid.1"]);
  });

  test("is a test of points", () => {
    const selector = ({ site, layer }: HookPoint) => site.startsWith("ln") && layer !== 0;
    expect(names(selector, [2])).toEqual(["ln1_scale.2", "ln1.2", "ln2_scale.2", "ln2.2"]);
  });

  test("is a pattern of names or aliases, as a text with * or as a regular expression", () => {
    expect(names("blocks.*.hook_resid_m*", undefined)).toEqual([
      "resid_mid.0",
      "resid_mid.1",
      "resid_mid.2",
      "resid_mid.3",
    ]);
    expect(names("*.hook_resid_*", [1])).toEqual(["resid_pre.1", "resid_mid.1", "resid_post.1"]);
    // A global expression remembers where it was; every point is asked from its first letter all the same.
    expect(names(/^m\.\d$|hook_attn_out$/g, [0, 3])).toEqual(["A.0", "m.0", "A.3", "m.3"]);
    expect(names(/W_V/, [2])).toEqual(["W_V.2"]);
  });

  test("that names nothing throws", () => {
    for (const selector of ["W_v", "hook_post", "", "m.4"]) expect(() => names(selector, undefined)).toThrow(HookError);
    expect(() => names("W_v", undefined)).toThrow('did you mean "W_V"');
    expect(() => names("resid", undefined)).toThrow("the sites are embed, resid_pre");
    expect(() => names("m", [])).not.toThrow();
    expect(() => names("[mM].*", undefined)).toThrow("no hook point of this run has a name like [mM].*; the sites are");
    expect(() => names(/resid_past/, undefined)).toThrow("no hook point of this run has a name like /resid_past/");
  });
});
