// Copies 32-bit words between two strided layouts: permute, slice, concatenate, repeat.
// One lane a word; p walks the source, q the target.
// Bindings: x (read), out (written where q walks, `count` words).

//! include lib/strides.wgsl

@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.count) { return; }
  let at = walk(i);
  out[at.y] = x[at.x];
}
