// a ∘ b under NumPy's broadcasting, ∘ one of + − × ÷.
// One lane an element of out; a broadcast axis has stride 0 in its operand.
// Bindings: a, b (read), out (written, `count` elements).

//! include lib/strides.wgsl

override OPERATION: u32 = 0u; // 0 +, 1 −, 2 ×, 3 ÷

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.count) { return; }
  let at = walk(i);
  let x = a[at.x];
  let y = b[at.y];
  if (OPERATION == 0u) { out[i] = x + y; }
  else if (OPERATION == 1u) { out[i] = x - y; }
  else if (OPERATION == 2u) { out[i] = x * y; }
  else { out[i] = x / y; }
}
