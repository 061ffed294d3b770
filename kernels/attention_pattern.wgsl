// The attention pattern, softmax(scale · Q Kᵀ) over the keys that each query sees (`lib/attention.wgsl`) and zero elsewhere, stored
// for hooks that read or change it. A query that sees no key has a row of zeros.
// A lane makes one row in place: scores and their maximum, exponentials and their sum, quotients.
// Bindings: q [B, T, H, D]; k [B, C, G, D]; starts [B] (not read unless `padded`); out [B, H, T, length].
//! include lib/attention.wgsl
//! include lib/nan.wgsl

override VECTORS: u32 = 4u; // D/4

@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = (group.x + group.y * groups.x) * 64u + lane;
  if (row >= params.batch * params.heads * params.queries) { return; }
  let t = row % params.queries;
  let h = row / params.queries % params.heads;
  let b = row / params.queries / params.heads;
  let end = last_key(t) + 1u;
  let start = min(first_key(b), end);

  let query_at = ((b * params.queries + t) * params.heads + h) * VECTORS;
  let stride = params.groups * VECTORS;
  let keys_at = b * params.capacity * stride + h / (params.heads / params.groups) * VECTORS;
  let out_at = row * params.length;
  var top = -0x1.fffffep127;
  for (var j = start; j < end; j++) {
    var score = 0.0;
    for (var d = 0u; d < VECTORS; d++) { score += dot(q[query_at + d], k[keys_at + j * stride + d]); }
    score *= params.scale * LOG2E;
    out[out_at + j] = score;
    top = larger(top, score);
  }
  var total = 0.0;
  for (var j = start; j < end; j++) {
    let above = out[out_at + j] - top;
    let weight = keep_nan(exp2(above), above);
    out[out_at + j] = weight;
    total += weight;
  }
  for (var j = 0u; j < start; j++) { out[out_at + j] = 0.0; }
  for (var j = start; j < end; j++) { out[out_at + j] = out[out_at + j] / total; }
  for (var j = end; j < params.length; j++) { out[out_at + j] = 0.0; }
}
