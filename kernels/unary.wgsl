// out = f(x), with f the function that KIND names.
// A lane takes vectors of four elements (lib/elements.wgsl).
// Bindings: x (read), out (written); `count` elements.

//! include lib/elements.wgsl
//! include lib/nan.wgsl
//! include lib/sigmoid.wgsl
//! include lib/erf.wgsl

override KIND: u32 = 0u; // The order of value's branches.

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;

// log σ(x) = min(x, 0) − log(1 + e), e = exp(−|x|). Where e is small, 1 + e would lose its digits, so a series is used.
fn log_sigmoid(v: vec4f) -> vec4f {
  let e = exp(-abs(v));
  let series = e * (1.0 - e * (0.5 - e * (1.0 / 3.0)));
  return min(v, vec4f(0.0)) - select(log(1.0 + e), series, e < vec4f(0.01));
}

// Some adapters give a number for the logarithm of 0 and of what lies below it.
fn logarithm(v: vec4f) -> vec4f {
  var lowest = 0xff800000u; // −∞; a variable, because WGSL refuses the constant
  let outside = select(vec4f(nan()), vec4f(bitcast<f32>(lowest)), v == vec4f(0.0));
  return select(log(v), outside, v <= vec4f(0.0));
}

fn value(v: vec4f) -> vec4f {
  switch KIND {
    case 0u: { return -v; }
    case 1u: { return exp(v); }
    case 2u: { return logarithm(v); }
    case 3u: { return sqrt(v); }
    case 4u: { return v * v; }
    case 5u: { return abs(v); }
    case 6u: { return sigmoid(v); }
    case 7u: { return log_sigmoid(v); }
    case 8u: { return v * sigmoid(v); }
    case 9u: { return max(v, vec4f(0.0)); }
    case 10u: { return v * normal_cdf(v); }
    default: { return tanh(clamp(v, vec4f(-15.0), vec4f(15.0))); } // tanh overflows on some adapters.
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let span = span_of(group, groups, vectors_of(params.count));
  for (var i = span.x + lane; i < span.y; i += 64u) { out[i] = keep_nans(value(x[i]), x[i]); }
}
