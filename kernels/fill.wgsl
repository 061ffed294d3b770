// Fills a buffer with one 32-bit pattern: zeros, a constant, or NaN bits for tests.
// One lane a word.
// Bindings: out (written, `count` words).

struct Params { count: u32, bits: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i < params.count) { out[i] = params.bits; }
}
