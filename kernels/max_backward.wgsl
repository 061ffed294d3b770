// Gradient of a maximum over the middle axis of x [outer, n, inner]: equal largest elements share it equally. Where
// the maximum is NaN, so is the gradient of each element.
// LANES lanes share one maximum (lib/rows.wgsl): they count the elements equal to it, then write.
// Bindings: x [outer, n, inner], largest, gradient [outer, inner] (read), out [outer, n, inner] (written).

//! include lib/rows.wgsl

struct Params { rows: u32, n: u32, inner: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> largest: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row / params.inner * params.n * params.inner + row % params.inner;
  let n = select(0u, params.n, row < params.rows);
  var equal = 0.0;
  for (var j = at.x; j < n; j += LANES) { equal += f32(x[first + j * params.inner] == largest[row]); }
  let share = gradient[min(row, params.rows - 1u)] / row_sum(equal, at);
  for (var j = at.x; j < n; j += LANES) {
    let i = first + j * params.inner;
    out[i] = keep_nan(select(0.0, share, x[i] == largest[row]), largest[row]);
  }
}
