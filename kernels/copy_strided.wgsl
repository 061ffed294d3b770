// Copies 32-bit words between two strided layouts: permute, slice, concatenate, repeat.
// A lane takes items (lib/elements.wgsl): vectors of four words where both layouts have them in one piece, else words. p walks the
// source, q the target; sizes and strides count items.
// Bindings: x (read), out (written where q walks, `count` items).

//! include lib/elements.wgsl
//! include lib/items.wgsl
//! include lib/strides.wgsl

@group(0) @binding(1) var<storage, read> x: array<Bits>;
@group(0) @binding(2) var<storage, read_write> out: array<Bits>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let span = span_of(group, groups, params.count);
  for (var i = span.x + lane; i < span.y; i += 64u) {
    let at = walk(i);
    out[at.y] = x[at.x];
  }
}
