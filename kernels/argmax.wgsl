// Index of the largest element of each row; the lowest index among equals. As in NumPy and PyTorch, NaN counts as the largest.
// LANES lanes a row. Floats are compared as whole numbers of the same order, because WGSL leaves comparisons with NaN open.
// Bindings: x [rows, width] (read), out [rows] (written).

//! include lib/ordered.wgsl

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Bits>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * (params.width / WIDE);
  var best = Largest();
  for (var c = at.x; c < select(0u, params.width / WIDE, row < params.rows); c += LANES) {
    best = with_item(best, ordered(x[first + c]), c);
  }
  let most = row_largest(candidate_of(best), at);
  if (at.x == 0u && row < params.rows) { out[row] = most.y; }
}
