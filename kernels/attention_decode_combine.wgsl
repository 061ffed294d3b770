// Joins attentions over separate stretches of keys, in order: with Lₛ the logarithm of stretch s's sum of exponentials and
// L that of all, out = Σₛ exp(Lₛ − L) outₛ. A query that sees nothing gives zeros.
// A lane has four numbers of one head.
// Bindings: parts [Z, B, T, H, D], part_sums [Z, B, H, T] from `attention_decode`; out [B, T, H, D]; log_sum_exp [B, H, T].

//! include lib/nan.wgsl

struct Params { batch: u32, queries: u32, heads: u32, vectors: u32, stretches: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> parts: array<vec4f>;
@group(0) @binding(2) var<storage> part_sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> log_sum_exp: array<f32>;

// The log_sum_exp that `attention_decode` writes for a stretch without keys.
const LOWEST = -1e30;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  let rows = params.batch * params.queries * params.heads;
  let row = i / params.vectors;
  if (row >= rows) { return; }
  let h = row % params.heads;
  let t = row / params.heads % params.queries;
  let sums_at = (row / params.heads / params.queries * params.heads + h) * params.queries + t;
  var top = LOWEST;
  for (var s = 0u; s < params.stretches; s++) { top = max(top, part_sums[s * rows + sums_at]); }
  var total = 0.0;
  var sum = vec4f();
  for (var s = 0u; s < params.stretches; s++) {
    let above = part_sums[s * rows + sums_at] - top;
    let weight = keep_nan(exp(above), above);
    total += weight;
    sum += weight * parts[s * rows * params.vectors + i];
  }
  // With nothing seen anywhere every part is zero and every weight one.
  out[i] = sum / total;
  if (i % params.vectors == 0u) { log_sum_exp[sums_at] = select(top + keep_nan(log(total), total), 0.0, top == LOWEST); }
}
