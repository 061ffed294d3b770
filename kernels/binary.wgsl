// a ∘ b for tensors of one shape, ∘ one of + − × ÷.
// One lane four neighbouring elements.
// Bindings: a, b (read), out (written); `count` elements.

override OPERATION: u32 = 0u; // 0 +, 1 −, 2 ×, 3 ÷

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i * 4u >= params.count) { return; }
  if (OPERATION == 0u) { out[i] = a[i] + b[i]; }
  else if (OPERATION == 1u) { out[i] = a[i] - b[i]; }
  else if (OPERATION == 2u) { out[i] = a[i] * b[i]; }
  else { out[i] = a[i] / b[i]; }
}
