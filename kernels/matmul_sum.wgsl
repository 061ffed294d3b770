// The last step of a matrix product whose sum over k was cut into slices: out[i, j] (+)= Σₛ slices[s, i, j], in the order of s; ADD adds
// addend[i, j].
// One lane an element.
// Bindings: slices (f32, slices × m × n), out, addend (f32, rows of n elements, `out_row` apart from `out_offset` on).

override ACCUMULATE: bool = false;
override ADD: bool = false;

struct Params { m: u32, n: u32, slices: u32, out_offset: u32, out_row: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> slices: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<storage, read> addend: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  let count = params.m * params.n;
  if (i >= count) { return; }
  let at = params.out_offset + i / params.n * params.out_row + i % params.n;
  var sum = 0.0;
  if (ACCUMULATE) { sum = out[at]; }
  for (var s = 0u; s < params.slices; s++) { sum += slices[s * count + i]; }
  if (ADD) { sum = addend[at] + sum; }
  out[at] = sum;
}
