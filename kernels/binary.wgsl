// a ∘ b for tensors of one shape, ∘ one of + − × ÷.
// A lane takes vectors of four elements (lib/elements.wgsl).
// Bindings: a, b (read), out (written); `count` elements.

//! include lib/elements.wgsl

override OPERATION: u32 = 0u; // 0 +, 1 −, 2 ×, 3 ÷

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let span = span_of(group, groups, vectors_of(params.count));
  for (var i = span.x + lane; i < span.y; i += 64u) {
    if (OPERATION == 0u) { out[i] = a[i] + b[i]; }
    else if (OPERATION == 1u) { out[i] = a[i] - b[i]; }
    else if (OPERATION == 2u) { out[i] = a[i] * b[i]; }
    else { out[i] = a[i] / b[i]; }
  }
}
