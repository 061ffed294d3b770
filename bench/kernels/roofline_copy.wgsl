// out = x: the memory bandwidth of this adapter. The bench compares other kernels with it.
// A workgroup of 64 lanes copies 1024 vec4s; neighbouring lanes copy neighbouring ones. On software adapters a workgroup is slow to
// start: with one vec4 a lane, this kernel reaches a third of the bandwidth.
// Bindings: x (read), out (written), `count` vec4s each.

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = (group.x + group.y * groups.x) * 1024u;
  let end = min(first + 1024u, params.count);
  for (var i = first + lane; i < end; i += 64u) { out[i] = x[i]; }
}
