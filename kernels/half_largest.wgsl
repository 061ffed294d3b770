// The largest magnitudes of a product's operands, from which lib/half_scale.wgsl takes their scales: for each operand 256 slots, the bits of
// floats without their sign. Such bits grow with the magnitude, and those of NaN are above infinity's.
// `groups` workgroups take an operand, a after b, a word a lane at a time. Workgroup g writes slot g, and 0 to slots g + groups, g + 2 groups …
// An operand stored as f16 is in range as it is and gets zeros.
// Bindings: a (f32), b (f32, f16 or bf16 by B_DTYPE), out [2, 256]. Elements `a_first` … `a_end` − 1 of a count, and so of b.

override B_DTYPE: u32 = 0u; // 0 f32, 1 f16, 2 bf16

const SLOTS = 256u;
const LANES = 256u;

struct Params { a_first: u32, a_end: u32, b_first: u32, b_end: u32, groups: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;

var<workgroup> tops: array<u32, LANES>;

const MAGNITUDE = 0x7fffffffu;

// Of elements 2 i and 2 i + 1 of b, as far as they count.
fn larger_of_pair(i: u32) -> u32 {
  let word = b[i];
  let low = select(0u, (word << 16u) & MAGNITUDE, 2u * i >= params.b_first);
  let high = select(0u, word & 0x7fff0000u, 2u * i + 1u < params.b_end);
  return max(low, high);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = group.x + group.y * groups.x;
  if (id >= 2u * params.groups) { return; }
  let g = id % params.groups;
  let of_b = id >= params.groups;
  let step = params.groups * LANES;
  var top = 0u;
  if (!of_b) {
    for (var i = params.a_first + g * LANES + lane; i < params.a_end; i += step) { top = max(top, a[i] & MAGNITUDE); }
  } else if (B_DTYPE == 0u) {
    for (var i = params.b_first + g * LANES + lane; i < params.b_end; i += step) { top = max(top, b[i] & MAGNITUDE); }
  } else if (B_DTYPE == 2u) {
    for (var i = params.b_first / 2u + g * LANES + lane; 2u * i < params.b_end; i += step) { top = max(top, larger_of_pair(i)); }
  }
  tops[lane] = top;
  workgroupBarrier();
  if (lane < 16u) {
    for (var i = lane + 16u; i < LANES; i += 16u) { top = max(top, tops[i]); }
    tops[lane] = top;
  }
  workgroupBarrier();
  top = 0u;
  for (var i = 0u; i < 16u; i++) { top = max(top, tops[i]); }
  let slot = g + lane * params.groups;
  if (slot < SLOTS) { out[select(0u, SLOTS, of_b) + slot] = select(0u, top, lane == 0u); }
}
