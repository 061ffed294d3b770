// The k largest elements of each row, largest first, with their indices; lower indices first among equals, NaN before all numbers.
// LANES lanes a row. A lane cuts its items into PARTS parts and keeps the largest element of each. In each of k turns the largest of all is
// taken, and the lane that had it looks through that part again for what comes next.
// Bindings: x [rows, width] (read), values, indices [rows, k] (written).

//! include lib/ordered.wgsl

override PARTS: u32 = 1u;

struct Params { rows: u32, width: u32, k: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Bits>;
@group(0) @binding(2) var<storage, read_write> values: array<u32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;

var<workgroup> parts: array<vec2u, LANES * ROWS * PARTS>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * (params.width / WIDE);
  let items = select(0u, params.width / WIDE, row < params.rows);
  let step = (params.width / WIDE + LANES * PARTS - 1u) / (LANES * PARTS) * LANES; // from a part to the next
  let own = (at.y * LANES + at.x) * PARTS;
  for (var part = 0u; part < PARTS; part++) {
    var best = Largest();
    let end = min((part + 1u) * step, items);
    for (var c = part * step + at.x; c < end; c += LANES) { best = with_item(best, ordered(x[first + c]), c); }
    parts[own + part] = candidate_of(best);
  }
  for (var turn = 0u; turn < params.k; turn++) {
    var most = nothing;
    for (var part = 0u; part < PARTS; part++) { most = first_of(most, parts[own + part]); }
    let taken = row_largest(most, at);
    let item = taken.y / WIDE;
    if (row < params.rows && at.x == 0u) {
      values[row * params.k + turn] = bits_at(x[first + item], taken.y % WIDE);
      indices[row * params.k + turn] = taken.y;
    }
    if (row < params.rows && item % LANES == at.x) {
      let part = item / step;
      var best = Largest();
      let end = min((part + 1u) * step, items);
      for (var c = part * step + at.x; c < end; c += LANES) {
        let key = ordered(x[first + c]);
        let gone = (key > Bits(taken.x)) | ((key == Bits(taken.x)) & (columns_of(c) <= Bits(taken.y)));
        best = with_item(best, select(key, Bits(), gone), c);
      }
      parts[own + part] = candidate_of(best);
    }
  }
}
