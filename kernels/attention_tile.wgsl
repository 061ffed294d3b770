// Causal softmax attention, out = softmax(scale · Q Kᵀ) V, for small heads: scores live in registers only (online softmax,
// Milakov & Gimelshein 2018; Dao et al. 2022). With P = length − T + t the place of query t among the keys, it sees keys
// start … P; a query left of its start gives zeros.
// A workgroup takes LANES queries of one head, a lane one query: its q, its running maximum and sum and its D sums stay in
// registers. Keys are walked four at a time, the same for all lanes, so that a key is read once a workgroup.
// Bindings: q, out [B, T, H, D]; k, v [B, C, G, D]; starts [B] (not read unless `padded`); log_sum_exp [B, H, T], zero left of the start.

override VECTORS: u32 = 4u; // D/4, at most 64
const LANES = 32u;

struct Params { batch: u32, queries: u32, capacity: u32, length: u32, heads: u32, groups: u32, padded: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> q: array<vec4f>;
@group(0) @binding(2) var<storage> k: array<vec4f>;
@group(0) @binding(3) var<storage> v: array<vec4f>;
@group(0) @binding(4) var<storage> starts: array<u32>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;

// Below every score, and far enough from −∞ that differences stay finite.
const LOWEST = -1e30;
const LOG2E = 1.4426950408889634;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = group.x + group.y * groups.x;
  let tiles = (params.queries + LANES - 1u) / LANES;
  let row = id / tiles;
  if (row >= params.batch * params.heads) { return; }
  let b = row / params.heads;
  let h = row % params.heads;
  let first = (id % tiles) * LANES;
  // Lanes past the last query repeat it and write nothing.
  let t = min(first + lane, params.queries - 1u);
  let place = params.length - params.queries + t;
  let end = params.length - params.queries + min(first + LANES, params.queries);
  var start = 0u;
  if (params.padded != 0u) { start = starts[b]; }

  let query_at = ((b * params.queries + t) * params.heads + h) * VECTORS;
  let stride = params.groups * VECTORS;
  let keys_at = b * params.capacity * stride + h / (params.heads / params.groups) * VECTORS;
  var query: array<vec4f, 64>;
  var sums: array<vec4f, 64>;
  for (var d = 0u; d < VECTORS; d++) {
    query[d] = q[query_at + d] * (params.scale * LOG2E);
    sums[d] = vec4f();
  }
  var top = LOWEST;
  var total = 0.0;
  for (var j = start; j < end; j += 4u) {
    let key = min(vec4u(j, j + 1u, j + 2u, j + 3u), vec4u(end - 1u));
    let at = keys_at + key * stride;
    var score = vec4f();
    for (var d = 0u; d < VECTORS; d++) {
      let part = query[d];
      score += vec4f(dot(part, k[at.x + d]), dot(part, k[at.y + d]), dot(part, k[at.z + d]), dot(part, k[at.w + d]));
    }
    let seen = vec4u(j, j + 1u, j + 2u, j + 3u) <= vec4u(place);
    score = select(vec4f(LOWEST), score, seen);
    let highest = max(max(score.x, score.y), max(score.z, score.w));
    let new_top = max(top, highest);
    let shrink = exp2(top - new_top);
    let weight = select(vec4f(), exp2(score - new_top), seen);
    top = new_top;
    total = total * shrink + weight.x + weight.y + weight.z + weight.w;
    for (var d = 0u; d < VECTORS; d++) {
      sums[d] = sums[d] * shrink + weight.x * v[at.x + d] + weight.y * v[at.y + d] + weight.z * v[at.z + d] + weight.w * v[at.w + d];
    }
  }
  if (first + lane >= params.queries) { return; }
  let seen_any = total > 0.0;
  let factor = select(0.0, 1.0 / max(total, 1e-30), seen_any);
  for (var d = 0u; d < VECTORS; d++) { out[query_at + d] = sums[d] * factor; }
  log_sum_exp[row * params.queries + t] = select(0.0, (top + log2(max(total, 1e-30))) / LOG2E, seen_any);
}
