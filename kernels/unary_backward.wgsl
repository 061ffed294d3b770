// Gradient of unary.wgsl: out = gradient · f′(x), with the same numbers in KIND. At a kink f′ is 0.
// A lane takes vectors of four elements (lib/elements.wgsl).
// Bindings: x, gradient (read), out (written); `count` elements.

//! include lib/elements.wgsl
//! include lib/nan.wgsl
//! include lib/sigmoid.wgsl
//! include lib/erf.wgsl

override KIND: u32 = 0u;

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;

// The slope of −x is the same at a NaN.
fn slope(v: vec4f) -> vec4f {
  if (KIND == 0u) { return vec4f(-1.0); }
  return keep_nans(slope_of_number(v), v);
}

fn slope_of_number(v: vec4f) -> vec4f {
  switch KIND {
    case 1u: { return exp(v); }
    case 2u: { return 1.0 / v; }
    case 3u: { return 0.5 * inverseSqrt(v); }
    case 4u: { return 2.0 * v; }
    case 5u: { return sign(v); }
    case 6u: { return sigmoid(v) * sigmoid(-v); }
    case 7u: { return sigmoid(-v); }
    case 8u: { return sigmoid(v) * (1.0 + v * sigmoid(-v)); }
    case 9u: { return max(sign(v), vec4f(0.0)); }
    case 10u: { return normal_cdf(v) + v * normal_density(v); }
    default: {
      let t = tanh(clamp(v, vec4f(-15.0), vec4f(15.0)));
      return 1.0 - t * t;
    }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let span = span_of(group, groups, vectors_of(params.count));
  for (var i = span.x + lane; i < span.y; i += 64u) { out[i] = gradient[i] * slope(x[i]); }
}
