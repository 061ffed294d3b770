import type { ModelPlace } from "@lethe/decoder";

/** What to call a model's place in messages. */
export function placeName(place: ModelPlace): string {
  return typeof place === "string" ? place : place.name;
}
