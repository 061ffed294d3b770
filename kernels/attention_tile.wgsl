// Causal softmax attention, out = softmax(scale · Q Kᵀ) V. Scores are never stored (online softmax: Milakov & Gimelshein 2018; Dao
// et al. 2022). With P = length − T + t the place of query t among the keys, it sees keys start … P; a query left of its
// start gives zeros.
// A workgroup takes 32 queries of one head against 32 keys at a time; `lib/attention_tile.wgsl` says which thread has what.
// Bindings: q, out [B, T, H, D]; k, v [B, C, G, D]; starts [B] (not read unless `padded`); log_sum_exp [B, H, T], 0 left of the start.
//! include lib/attention.wgsl
//! include lib/attention_tile.wgsl

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> q: array<vec4f>;
@group(0) @binding(2) var<storage> k: array<vec4f>;
@group(0) @binding(3) var<storage> v: array<vec4f>;
@group(0) @binding(4) var<storage> starts: array<u32>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;

fn own_vector(pair: u32, at: u32) -> vec4f { return q[at]; }
fn other_vector(pair: u32, at: u32) -> vec4f { return k[at]; }

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let id = group.x + group.y * groups.x;
  let tiles = (params.queries + ROWS - 1u) / ROWS;
  let row = id / tiles;
  if (row >= params.batch * params.heads) { return; }
  let b = row / params.heads;
  let h = row % params.heads;
  let first = (id % tiles) * ROWS;
  let past = params.length - params.queries;
  let end = past + min(first + ROWS, params.queries);
  var start = 0u;
  if (params.padded != 0u) { start = starts[b]; }
  let x = thread % 16u;
  let y = thread / 16u;
  let own = Rows((b * params.queries * params.heads + h) * params.vectors, params.heads * params.vectors, first, params.queries - 1u);
  let keys_at = (b * params.capacity * params.groups + h / (params.heads / params.groups)) * params.vectors;
  let stride = params.groups * params.vectors;

  let own_places = vec4u(past + first + y) + vec4u(0u, 8u, 16u, 24u);
  var top = vec4f(LOWEST); // of each own row
  var total = vec4f(); // over this thread's other rows only
  var sums = array<vec4f, 16>(); // vector n of own row i at 4 n + i
  for (var j = start; j < end; j += ROWS) {
    var scores = products(0u, own, Rows(keys_at, stride, j, end - 1u), thread);
    let seen_a = (vec4u(j + x) <= own_places) & vec4<bool>(j + x < end);
    let seen_b = (vec4u(j + x + 16u) <= own_places) & vec4<bool>(j + x + 16u < end);
    scores.a = select(vec4f(LOWEST), scores.a * (params.scale * LOG2E), seen_a);
    scores.b = select(vec4f(LOWEST), scores.b * (params.scale * LOG2E), seen_b);
    weights[y * WEIGHT_PITCH + x] = max(scores.a, scores.b);
    workgroupBarrier();
    var new_top = top;
    for (var c = 0u; c < 16u; c++) { new_top = max(new_top, weights[y * WEIGHT_PITCH + c]); }
    workgroupBarrier();
    let shrink = exp2(top - new_top);
    top = new_top;
    scores.a = select(vec4f(), exp2(scores.a - top), seen_a);
    scores.b = select(vec4f(), exp2(scores.b - top), seen_b);
    set_weights(thread, scores);
    total = total * shrink + scores.a + scores.b;
    workgroupBarrier();
    let count = min(ROWS, end - j);
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < params.vectors) {
        for (var i = 0u; i < 4u; i++) { sums[4u * n + i] *= shrink[i]; }
        for (var c = 0u; c < count; c++) {
          let value = v[keys_at + (j + c) * stride + column];
          let weight = weights[y * WEIGHT_PITCH + c];
          for (var i = 0u; i < 4u; i++) { sums[4u * n + i] += weight[i] * value; }
        }
      }
    }
  }

  workgroupBarrier();
  weights[y * WEIGHT_PITCH + x] = total;
  workgroupBarrier();
  total = vec4f();
  for (var c = 0u; c < 16u; c++) { total += weights[y * WEIGHT_PITCH + c]; }
  for (var i = 0u; i < 4u; i++) {
    let t = first + y + 8u * i;
    if (t >= params.queries) { continue; }
    let seen_any = total[i] > 0.0;
    let factor = select(0.0, 1.0 / max(total[i], 1e-30), seen_any);
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < params.vectors) { out[own.at + t * own.stride + column] = sums[4u * n + i] * factor; }
    }
    if (x == 0u) {
      log_sum_exp[row * params.queries + t] = select(0.0, (top[i] + log2(max(total[i], 1e-30))) / LOG2E, seen_any);
    }
  }
}
