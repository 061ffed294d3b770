// Gradient of softmax.wgsl from its output y: y (gradient − Σ gradient y), or for its logarithm gradient − exp(y) Σ gradient.
// LANES lanes a row (lib/rows.wgsl).
// Bindings: y, gradient [rows, width] (read), out [rows, width] (written).

//! include lib/items.wgsl
//! include lib/nan.wgsl
//! include lib/rows.wgsl

override LOG: bool = false;

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<Item>;
@group(0) @binding(2) var<storage, read> gradient: array<Item>;
@group(0) @binding(3) var<storage, read_write> out: array<Item>;

// exp(y), NaN where y is.
fn share_of(y: Item) -> Item { return keep_nans(exp(y), y); } //! if WIDE 4
fn share_of(y: Item) -> Item { return keep_nan(exp(y), y); } //! if WIDE 1

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * (params.width / WIDE);
  let items = select(0u, params.width / WIDE, row < params.rows);
  var sum = Item();
  for (var c = at.x; c < items; c += LANES) {
    if (LOG) { sum += gradient[first + c]; } else { sum += gradient[first + c] * y[first + c]; }
  }
  let total = row_sum(sum_of(sum), at);
  for (var c = at.x; c < items; c += LANES) {
    if (LOG) { out[first + c] = gradient[first + c] - share_of(y[first + c]) * total; }
    else { out[first + c] = y[first + c] * (gradient[first + c] - total); }
  }
}
