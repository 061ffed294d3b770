import type { Device, Weight } from "@lethe/tensor";
import { bytesOfWeights, emptyWeights, type WantedWeight } from "../checkpoint/empty-weights.ts";

/** Memory for the weights of one block, which those of many blocks take in turn; or for the weights outside the blocks. */
export interface Slot {
  /** The weights that are there at one time, by the names that they have in the first layer. */
  readonly places: Map<string, WantedWeight>;
  /** Every weight that comes there, and its place. */
  readonly holds: (readonly [name: string, place: string])[];
}

const inBlock = /^model\.layers\.(\d+)\./;

/** The layer of a weight, from 0; null for one outside the blocks. */
export function layerOf(name: string): number | null {
  const found = inBlock.exec(name);
  return found && Number(found[1]);
}

/**
 * The slots of a model: one for all its blocks, or, where a checkpoint keeps blocks in different dtypes, one for those of each kind; and one
 * for all else.
 * @param weights by name, in the order of the forward pass
 */
export function slotsOf(weights: ReadonlyMap<string, WantedWeight>): Slot[] {
  const layers = new Map<number | null, string[]>();
  for (const name of weights.keys()) layers.set(layerOf(name), [...(layers.get(layerOf(name)) ?? []), name]);
  const slots = new Map<string, Slot>();
  for (const names of layers.values()) {
    const holds = names.map((name) => [name, name.replace(inBlock, "model.layers.0.")] as const);
    const places = new Map(holds.map(([name, place]) => [place, weights.get(name)!]));
    const alike = JSON.stringify([...places]);
    const slot = slots.get(alike) ?? { places, holds: [] };
    slot.holds.push(...holds);
    slots.set(alike, slot);
  }
  return [...slots.values()];
}

/** Makes slots, with undefined values. Weights that come to one place are handles on one tensor. They belong to no scope. */
export function makeSlots(device: Device, slots: readonly Slot[]): Map<string, Weight> {
  const weights = new Map<string, Weight>();
  for (const { places, holds } of slots) {
    const made = emptyWeights(device, places, "streamed ");
    for (const [name, place] of holds) weights.set(name, made.get(place)!.retain());
    for (const weight of made.values()) weight.dispose();
  }
  return weights;
}

/** The bytes of each place of slots. */
export function bytesOfSlots(device: Device, slots: readonly Slot[]): (readonly [place: string, bytes: number])[] {
  return slots.flatMap(({ places }) => [...bytesOfWeights(device, places)]);
}
