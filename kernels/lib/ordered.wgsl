// Finding the largest of a row, exactly and with one answer: candidates are (ordered value, column).

//! include lib/items.wgsl

override LANES: u32 = 64u;
override ROWS: u32 = 1u;

var<workgroup> row_candidates: array<vec2u, LANES * ROWS>;

// Comes after every candidate.
const nothing = vec2u(0u, 0xffffffffu);

// Whole numbers above 0 in the same order as the floats with these bits; NaN comes last, −0 equals 0.
fn ordered(bits: Bits) -> Bits {
  let number = select(bits | Bits(0x80000000u), ~bits, bits > Bits(0x80000000u));
  return select(number, Bits(0xffffffffu), (bits & Bits(0x7fffffffu)) > Bits(0x7f800000u));
}

// The largest so far of each place in an item, and the item where it is.
struct Largest { key: Bits, item: Bits }

fn with_item(best: Largest, key: Bits, c: u32) -> Largest {
  let rises = key > best.key;
  return Largest(select(best.key, key, rises), select(best.item, Bits(c), rises));
}

fn bits_at(bits: Bits, n: u32) -> u32 { return bits[n]; } //! if WIDE 4
fn bits_at(bits: Bits, n: u32) -> u32 { return bits; } //! if WIDE 1

// The largest candidate over the places of an item.
fn candidate_of(best: Largest) -> vec2u {
  var most = nothing;
  for (var n = 0u; n < WIDE; n++) {
    let key = bits_at(best.key, n);
    if (key > 0u) { most = first_of(most, vec2u(key, bits_at(best.item, n) * WIDE + n)); }
  }
  return most;
}

// The larger candidate, or of equals the one in the lower column.
fn first_of(a: vec2u, b: vec2u) -> vec2u {
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
    for (var i = at.x + 16u; i < LANES; i += 16u) { best = first_of(best, row_candidates[first + i]); }
    row_candidates[first + at.x] = best;
  }
  workgroupBarrier();
  var best = row_candidates[first];
  for (var i = 1u; i < min(LANES, 16u); i++) { best = first_of(best, row_candidates[first + i]); }
  workgroupBarrier();
  return best;
}
