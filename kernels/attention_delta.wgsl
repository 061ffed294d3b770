// Two numbers of each query for the gradient of attention: log_sum_exp in base 2, and δ = rowsum(dO ∘ O), which the gradient of a
// softmax subtracts from each row. The third is left to the kernel of the queries' gradient (lib/attention_backward.wgsl).
// A lane sums one row.
// Bindings: output (O), gradient (dO) [B, T, H, D]; log_sum_exp [B, H, T], rows [B, H, T, 3].

override VECTORS: u32 = 4u; // D/4

struct QueryRow { log_sum: f32, delta: f32, rest: f32 }

struct Params { batch: u32, queries: u32, heads: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> output: array<vec4f>;
@group(0) @binding(2) var<storage> gradient: array<vec4f>;
@group(0) @binding(3) var<storage> log_sum_exp: array<f32>;
@group(0) @binding(4) var<storage, read_write> rows: array<QueryRow>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.batch * params.queries * params.heads) { return; }
  var delta = 0.0;
  for (var d = i * VECTORS; d < (i + 1u) * VECTORS; d++) { delta += dot(output[d], gradient[d]); }
  let token = i / params.heads;
  let row = (token / params.queries * params.heads + i % params.heads) * params.queries + token % params.queries;
  rows[row] = QueryRow(log_sum_exp[row] * 1.4426950408889634, delta, 0.0);
}
