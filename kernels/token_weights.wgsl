// The weight of each token's loss in a reduced loss: gradient[k / span], divided by the number of counted tokens when MEAN; 0 for
// tokens of label −100.
// One workgroup, LANES lanes (lib/rows.wgsl).
// Bindings: labels [count], gradient [count / span] (read), out [count] (written).

//! include lib/rows.wgsl

override MEAN: bool = false;

struct Params { count: u32, span: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_id) at: vec3u) {
  var share = 1.0;
  if (MEAN) {
    var counted = 0.0;
    for (var k = at.x; k < params.count; k += LANES) { counted += f32(labels[k] != -100); }
    share = 1.0 / max(row_sum(counted, at), 1.0);
  }
  for (var k = at.x; k < params.count; k += LANES) {
    if (labels[k] == -100) { out[k] = 0.0; } else { out[k] = gradient[k / params.span] * share; }
  }
}
