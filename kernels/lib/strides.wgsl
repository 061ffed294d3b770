// Two strided walks, p and q, over one index space of up to six axes, outermost first. Axes beyond RANK are absent.

override RANK: u32 = 6u;

struct Params {
  count: u32, p_offset: u32, q_offset: u32,
  size1: u32, size2: u32, size3: u32, size4: u32, size5: u32,
  p0: u32, p1: u32, p2: u32, p3: u32, p4: u32, p5: u32,
  q0: u32, q1: u32, q2: u32, q3: u32, q4: u32, q5: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// Positions of index i in p and in q.
fn walk(i: u32) -> vec2u {
  var rest = i;
  var at = vec2u(params.p_offset, params.q_offset);
  if (RANK > 5u) { at += (rest % params.size5) * vec2u(params.p5, params.q5); rest /= params.size5; }
  if (RANK > 4u) { at += (rest % params.size4) * vec2u(params.p4, params.q4); rest /= params.size4; }
  if (RANK > 3u) { at += (rest % params.size3) * vec2u(params.p3, params.q3); rest /= params.size3; }
  if (RANK > 2u) { at += (rest % params.size2) * vec2u(params.p2, params.q2); rest /= params.size2; }
  if (RANK > 1u) { at += (rest % params.size1) * vec2u(params.p1, params.q1); rest /= params.size1; }
  return at + rest * vec2u(params.p0, params.q0);
}
