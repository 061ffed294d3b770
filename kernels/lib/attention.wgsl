// What the kernels that read queries and keys share: sizes, bindings 0 to 3, and which keys a query sees.
// Bindings: q [B, T, H, D]; k [B, C, G, D], of whose C keys the first `length` are in use; starts [B] (not read unless `padded`).

override CAUSAL: bool = true;

// The last three are of `attention_decode` alone.
struct Params {
  batch: u32, queries: u32, capacity: u32, length: u32, heads: u32, groups: u32, vectors: u32, padded: u32, scale: f32,
  stretch: u32, stretches: u32, first_stretch: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> q: array<vec4f>;
@group(0) @binding(2) var<storage> k: array<vec4f>;
@group(0) @binding(3) var<storage> starts: array<u32>;

// Below every score, and far enough from −∞ that differences stay finite.
const LOWEST = -1e30;
const LOG2E = 1.4426950408889634;

// First key that the queries of sequence b see: those before it are padding.
fn first_key(b: u32) -> u32 {
  if (params.padded == 0u) { return 0u; }
  return starts[b];
}

// Last key that query t sees: the one at its own place, length − T + t, or the last in use.
fn last_key(t: u32) -> u32 { return select(params.length - 1u, params.length - params.queries + t, CAUSAL); }
fn last_keys(t: vec4u) -> vec4u { return select(vec4u(params.length - 1u), vec4u(params.length - params.queries) + t, CAUSAL); }

// First query that sees any of the `count` keys from `key` on, in a sequence whose keys begin at `start`; T when none does.
fn first_query(key: u32, count: u32, start: u32) -> u32 {
  if (key + count <= start || key >= params.length) { return params.queries; }
  if (!CAUSAL) { return 0u; }
  let past = params.length - params.queries;
  return max(max(key, start), past) - past;
}

// What workgroup `id` takes of [B, heads, rows]: `size` rows of one head from `first` on. `line` is b · heads + head.
struct Block { line: u32, b: u32, head: u32, first: u32 }

fn block_of(id: u32, heads: u32, rows: u32, size: u32) -> Block {
  let blocks = (rows + size - 1u) / size;
  let line = id / blocks;
  return Block(line, line / heads, line % heads, id % blocks * size);
}
