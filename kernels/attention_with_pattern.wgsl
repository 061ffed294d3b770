// Values mixed by a given attention pattern, out = A V, whatever the pattern is.
// A lane sums four numbers of one head.
// Bindings: pattern [B, H, T, length]; v [B, C, G, D]; out [B, T, H, D].

override VECTORS: u32 = 4u; // D/4

struct Params { batch: u32, queries: u32, capacity: u32, length: u32, heads: u32, groups: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> pattern: array<f32>;
@group(0) @binding(2) var<storage> v: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.batch * params.queries * params.heads * VECTORS) { return; }
  let d = i % VECTORS;
  let h = i / VECTORS % params.heads;
  let t = i / VECTORS / params.heads % params.queries;
  let b = i / VECTORS / params.heads / params.queries;
  let weights_at = ((b * params.heads + h) * params.queries + t) * params.length;
  let stride = params.groups * VECTORS;
  let values_at = b * params.capacity * stride + h / (params.heads / params.groups) * VECTORS + d;
  var sum = vec4f();
  for (var j = 0u; j < params.length; j++) { sum += pattern[weights_at + j] * v[values_at + j * stride]; }
  out[i] = sum;
}
