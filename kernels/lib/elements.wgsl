// What the kernels over elements share: a workgroup of 64 lanes takes 64 · TURNS items (words or vectors of four), and in each turn
// neighbouring lanes take neighbouring items. On software adapters a workgroup is slow to start, so each takes many turns.

override TURNS: u32 = 1u;

// The first item of a workgroup, and the end of its items, of `count` in all.
fn span_of(group: vec3u, groups: vec3u, count: u32) -> vec2u {
  let first = (group.x + group.y * groups.x) * 64u * TURNS;
  return vec2u(first, min(first + 64u * TURNS, count));
}

// Vectors that hold `count` elements; the last may hold fewer than four.
fn vectors_of(count: u32) -> u32 { return (count + 3u) / 4u; }
