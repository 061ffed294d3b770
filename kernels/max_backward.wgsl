// Gradient of a maximum over the middle axis of x [outer, n, inner]: equal largest elements share it equally. Where
// the maximum is NaN, so is the gradient of each element.
// LANES lanes share one maximum (lib/rows.wgsl): they count the elements equal to it, then write. Items of four need inner = 1.
// Bindings: x [outer, n, inner], largest, gradient [outer, inner] (read), out [outer, n, inner] (written).

//! include lib/items.wgsl
//! include lib/rows.wgsl

struct Params { rows: u32, n: u32, inner: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Item>;
@group(0) @binding(2) var<storage, read> largest: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<Item>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let items = params.n / WIDE;
  let first = row / params.inner * items * params.inner + row % params.inner;
  let n = select(0u, items, row < params.rows);
  let most = Item(largest[min(row, params.rows - 1u)]);
  var equal = Item();
  for (var j = at.x; j < n; j += LANES) { equal += select(Item(), Item(1.0), x[first + j * params.inner] == most); }
  let share = gradient[min(row, params.rows - 1u)] / row_sum(sum_of(equal), at);
  for (var j = at.x; j < n; j += LANES) {
    let i = first + j * params.inner;
    out[i] = select(select(Item(), Item(share), x[i] == most), most, is_nan(largest[row]));
  }
}
