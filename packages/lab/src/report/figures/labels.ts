/**
 * Moves labels apart that would overlap, each as little as possible: in order of value, at least `gap` between neighbours.
 * @param values where the labels would like to be, in the axis' units
 * @returns where they go, in the same order
 */
export function spreadLabels(values: readonly number[], gap: number): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  // Runs of touching labels, each centred on the mean of the places its members would like, less their offsets within the run.
  const runs: { members: number[]; sum: number; start: number }[] = [];
  for (const index of order) {
    let run = { members: [index], sum: values[index]!, start: values[index]! };
    for (
      let before = runs.at(-1);
      before && before.start + before.members.length * gap > run.start;
      before = runs.at(-1)
    ) {
      runs.pop();
      const members = [...before.members, ...run.members];
      const sum = before.sum + run.sum - before.members.length * run.members.length * gap;
      run = { members, sum, start: sum / members.length };
    }
    runs.push(run);
  }
  const placed = [...values];
  for (const { members, start } of runs) {
    for (const [offset, index] of members.entries()) placed[index] = start + offset * gap;
  }
  return placed;
}
