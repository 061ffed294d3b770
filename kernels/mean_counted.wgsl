// Mean of the losses of the tokens whose label is not −100; 0 when there are none.
// One workgroup, LANES lanes (lib/rows.wgsl).
// Bindings: losses, labels [count] (read), out [1] (written).

//! include lib/rows.wgsl

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> losses: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_id) at: vec3u) {
  var sum = 0.0;
  var counted = 0.0;
  for (var k = at.x; k < params.count; k += LANES) {
    if (labels[k] != -100) { sum += losses[k]; counted += 1.0; }
  }
  let total = row_sum(sum, at);
  let tokens = row_sum(counted, at);
  if (at.x == 0u) { out[0] = total / max(tokens, 1.0); }
}
