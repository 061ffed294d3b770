// Causal softmax attention, out = softmax(scale · Q Kᵀ) V. Scores are never stored (online softmax: Milakov & Gimelshein 2018; Dao
// et al. 2022). With P = length − T + t the place of query t among the keys, it sees keys start … P; a query left of its
// start gives zeros.
// A workgroup takes 32 queries of one head against 32 keys at a time; `lib/attention_tile.wgsl` says which thread has what.
// Bindings: q, out [B, T, H, D]; k, v [B, C, G, D]; starts [B] (not read unless `padded`); log_sum_exp [B, H, T], 0 left of the start.
//! include lib/attention.wgsl
//! include lib/attention_tile.wgsl

override VECTORS: u32 = 16u; // D/4, at most 64

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
  let own = Rows((b * params.queries * params.heads + h) * VECTORS, params.heads * VECTORS, first, params.queries - 1u);
  let keys_at = (b * params.capacity * params.groups + h / (params.heads / params.groups)) * VECTORS;
  let stride = params.groups * VECTORS;

  var top = vec4f(LOWEST); // of own row i, as below
  var total = vec4f(); // over this thread's columns only
  var sums = array<vec4f, 16>(); // vector n of own row i at 4 i + n
  for (var j = start; j < end; j += ROWS) {
    let scores = products(0u, own, Rows(keys_at, stride, j, end - 1u), thread);
    let keys = vec2u(j + x, j + x + 16u);
    for (var i = 0u; i < 4u; i++) {
      let seen = (keys <= vec2u(past + first + y + 8u * i)) & (keys < vec2u(end));
      let score = select(vec2f(LOWEST), scores[i] * (params.scale * LOG2E), seen);
      weights[(y + 8u * i) * ROW_PITCH + x] = max(score.x, score.y);
    }
    workgroupBarrier();
    var new_top = top;
    for (var i = 0u; i < 4u; i++) {
      for (var c = 0u; c < 16u; c++) { new_top[i] = max(new_top[i], weights[(y + 8u * i) * ROW_PITCH + c]); }
    }
    workgroupBarrier();
    let shrink = exp2(top - new_top);
    top = new_top;
    for (var i = 0u; i < 4u; i++) {
      let seen = (keys <= vec2u(past + first + y + 8u * i)) & (keys < vec2u(end));
      let score = select(vec2f(), scores[i] * (params.scale * LOG2E) - top[i], seen);
      let weight = select(vec2f(), exp2(score), seen);
      set_weights(thread, i, weight);
      total[i] = total[i] * shrink[i] + weight.x + weight.y;
      for (var n = 0u; n < COLUMNS; n++) { sums[4u * i + n] *= shrink[i]; }
    }
    workgroupBarrier();
    let count = min(ROWS, end - j);
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < VECTORS) {
        for (var c = 0u; c < count; c++) {
          let value = v[keys_at + (j + c) * stride + column];
          for (var i = 0u; i < 4u; i++) { sums[4u * i + n] += weights[(y + 8u * i) * ROW_PITCH + c] * value; }
        }
      }
    }
  }

  workgroupBarrier();
  for (var i = 0u; i < 4u; i++) { weights[(y + 8u * i) * ROW_PITCH + x] = total[i]; }
  workgroupBarrier();
  for (var i = 0u; i < 4u; i++) {
    let t = first + y + 8u * i;
    if (t >= params.queries) { continue; }
    var whole = 0.0;
    for (var c = 0u; c < 16u; c++) { whole += weights[(y + 8u * i) * ROW_PITCH + c]; }
    let seen_any = whole > 0.0;
    let factor = select(0.0, 1.0 / max(whole, 1e-30), seen_any);
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < VECTORS) { out[own.at + t * own.stride + column] = sums[4u * i + n] * factor; }
    }
    if (x == 0u) {
      log_sum_exp[row * params.queries + t] = select(0.0, (top[i] + log2(max(whole, 1e-30))) / LOG2E, seen_any);
    }
  }
}
