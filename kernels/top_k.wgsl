// The k largest elements of each row, largest first, with their indices; lower indices first among equals, NaN before all numbers.
// In each of k turns, LANES lanes a row find one element, the next one after that of the turn before. Nothing else is stored between turns.
// Bindings: x [rows, width] (read), values, indices [rows, k] (written).

//! include lib/ordered.wgsl

struct Params { rows: u32, width: u32, k: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> values: array<u32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * params.width;
  let width = select(0u, params.width, row < params.rows);
  var previous = vec2u(0xffffffffu, 0u);
  for (var turn = 0u; turn < params.k; turn++) {
    var best = vec2u(0u, 0xffffffffu);
    for (var c = at.x; c < width; c += LANES) {
      let candidate = vec2u(ordered(x[first + c]), c);
      let taken = turn > 0u && (candidate.x > previous.x || (candidate.x == previous.x && c <= previous.y));
      if (!taken) { best = larger(best, candidate); }
    }
    best = row_largest(best, at);
    previous = best;
    if (at.x == 0u && row < params.rows) {
      values[row * params.k + turn] = x[first + best.y];
      indices[row * params.k + turn] = best.y;
    }
  }
}
