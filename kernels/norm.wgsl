// Normalises rows: out = (x − μ) / √(mean((x − μ)²) + ε) · weight + bias. μ is the row's mean for LayerNorm (CENTERED) and 0 for
// RMSNorm (Zhang & Sennrich 2019).
// LANES lanes a row (lib/rows.wgsl).
// Bindings: x [rows, width], weight, bias [width] of some floating dtype (read), out [rows, width] (written).

//! include lib/norm.wgsl

override BIAS_DTYPE: u32 = 3u; // lib/packed.wgsl; 3 is none

@group(0) @binding(3) var<storage, read> bias: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> out: array<Item>;

fn bias_at(c: u32) -> Item {
  if (BIAS_DTYPE == 3u) { return Item(); }
  let i = pair_of(c, BIAS_DTYPE);
  if (BIAS_DTYPE == 0u) { return item_among(bitcast<vec4f>(vec4u(bias[i], bias[i + 1u])), c); }
  return item_among(unpack_two(bias[i], BIAS_DTYPE), c);
}

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * (params.width / WIDE);
  // Lanes of rows past the end take part in the barriers, over no items.
  let items = select(0u, params.width / WIDE, row < params.rows);
  let own = row_of(first, items, at);
  for (var c = at.x; c < items; c += LANES) {
    out[first + c] = deviations(own, x[first + c]) * own.inverse * weight_at(c) + bias_at(c);
  }
}
