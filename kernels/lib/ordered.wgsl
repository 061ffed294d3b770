// Finding the largest of a row, exactly and with one answer: candidates are (ordered value, index).

override LANES: u32 = 64u;
override ROWS: u32 = 1u;

var<workgroup> row_candidates: array<vec2u, LANES * ROWS>;

// Whole numbers in the same order as the floats with these bits; NaN comes last, −0 equals 0.
fn ordered(bits: u32) -> u32 {
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0xffffffffu; }
  if (bits == 0x80000000u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}

fn larger(a: vec2u, b: vec2u) -> vec2u {
  if (b.x > a.x || (b.x == a.x && b.y < a.y)) { return b; }
  return a;
}

// The largest candidate over the lanes of a row; every lane gets it. All lanes of the workgroup must call it.
fn row_largest(candidate: vec2u, at: vec3u) -> vec2u {
  if (LANES == 1u) { return candidate; }
  let first = at.y * LANES;
  row_candidates[first + at.x] = candidate;
  workgroupBarrier();
  if (at.x < 16u) {
    var best = candidate;
    for (var i = at.x + 16u; i < LANES; i += 16u) { best = larger(best, row_candidates[first + i]); }
    row_candidates[first + at.x] = best;
  }
  workgroupBarrier();
  var best = row_candidates[first];
  for (var i = 1u; i < min(LANES, 16u); i++) { best = larger(best, row_candidates[first + i]); }
  workgroupBarrier();
  return best;
}
