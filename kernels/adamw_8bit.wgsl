// One step of AdamW, as adamw.wgsl, on moments of 8 bits (Dettmers et al. 2022): in each block of 256 elements m = scale · map[code], where
// scale is the largest |m| of the block, and so is v. The map of m is signed, that of v is not (lib/dynamic_map.wgsl). The parameter is
// updated from the new moments before they are rounded to codes.
// LANES lanes a block (lib/rows.wgsl), each with VECTORS of its 64 vectors of four elements, whose new moments it holds until the scales are
// known: so each array is read and written once. The last block may be shorter; what lies past its end does not count.
// A block whose moments are not all finite gets the scale NaN.
// Bindings: gradient, gradient_scale [1] (read); parameter, m, v (four codes to a word, lowest first), m_scales, v_scales [blocks] (read
// and written).

//! include lib/dynamic_map.wgsl
//! include lib/rows.wgsl

const VECTORS = 1u; //! define: vectors of a block that a lane takes
override SCALED: bool = false;

struct Params {
  count: u32, beta1: f32, gain1: f32, beta2: f32, gain2: f32, decay: f32, rate: f32, root: f32, epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read> gradient_scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> parameter: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> m: array<u32>;
@group(0) @binding(5) var<storage, read_write> v: array<u32>;
@group(0) @binding(6) var<storage, read_write> m_scales: array<f32>;
@group(0) @binding(7) var<storage, read_write> v_scales: array<f32>;

const places = vec4u(0u, 8u, 16u, 24u);
// The code of 0 in the signed map.
const middle = vec4u(127u);

fn codes_in(word: u32) -> vec4u { return (vec4u(word) >> places) & vec4u(0xffu); }

fn word_of(codes: vec4u) -> u32 {
  let placed = codes << places;
  return (placed.x | placed.y) | (placed.z | placed.w);
}

fn signed_of(codes: vec4u) -> vec4f {
  let positive = codes >= middle;
  let magnitude = magnitude_of(select(middle - codes, codes - middle, positive), 1u);
  return select(-magnitude, magnitude, positive);
}

// The signed map has no −1.
fn signed_codes(x: vec4f) -> vec4u {
  let n = number_of(abs(x), 1u);
  return select(middle + n, middle - min(n, middle), x < vec4f());
}

// A second moment above 0 does not become 0: the element's next step would be up to 1 / √(1 − β₂) times too long.
fn unsigned_codes(x: vec4f) -> vec4u { return max(number_of(x, 2u) - 1u, select(vec4u(), vec4u(1u), x > vec4f())); }

// Moments in units of their block's scale. Below the normal numbers a quotient is left open by WGSL, and the moments are taken as 0.
fn shares(moments: vec4f, scale: f32) -> vec4f {
  if (!is_finite(scale) || scale < 0x1p-126) { return vec4f(); }
  return moments / scale;
}

fn largest(x: vec4f) -> f32 { return larger(larger(x.x, x.y), larger(x.z, x.w)); }

fn scale_of(largest: f32) -> f32 { return select(nan(), largest, is_finite(largest)); }

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let block = (group.x + group.y * groups.x) * ROWS + at.y;
  let end = min((params.count + 3u) / 4u, (block + 1u) * 64u);
  let own = min(block, (params.count - 1u) / 256u);
  let m_scale = m_scales[own];
  let v_scale = v_scales[own];
  var first: array<vec4f, VECTORS>;
  var second: array<vec4f, VECTORS>;
  var most = vec2f();
  for (var k = 0u; k < VECTORS; k++) {
    let i = block * 64u + k * LANES + at.x;
    if (i < end) {
      var g = gradient[i];
      if (SCALED) { g *= gradient_scale[0]; }
      let inside = 4u * i + vec4u(0u, 1u, 2u, 3u) < vec4u(params.count);
      let next_first = params.beta1 * (m_scale * signed_of(codes_in(m[i]))) + params.gain1 * g;
      let next_second = params.beta2 * (v_scale * magnitude_of(codes_in(v[i]) + 1u, 2u)) + params.gain2 * g * g;
      first[k] = select(vec4f(), next_first, inside);
      second[k] = select(vec4f(), next_second, inside);
      most = vec2f(larger(most.x, largest(abs(first[k]))), larger(most.y, largest(second[k])));
    }
  }
  let next_m_scale = scale_of(row_max(most.x, at));
  let next_v_scale = scale_of(row_max(most.y, at));
  for (var k = 0u; k < VECTORS; k++) {
    let i = block * 64u + k * LANES + at.x;
    if (i < end) {
      m[i] = word_of(signed_codes(shares(first[k], next_m_scale)));
      v[i] = word_of(unsigned_codes(shares(second[k], next_v_scale)));
      let step = params.rate * first[k] / (sqrt(second[k]) * params.root + params.epsilon);
      parameter[i] = parameter[i] * params.decay - step;
    }
  }
  if (at.x == 0u && block == own) {
    m_scales[block] = next_m_scale;
    v_scales[block] = next_v_scale;
  }
}
