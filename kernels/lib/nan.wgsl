// NaN and infinities, found by their bits. WGSL lets compilers assume that there are none: comparisons, min, max, clamp and sign may give
// a plausible number for a NaN, and so do exp and log on some adapters. Sums, products and quotients keep it.

fn nan() -> f32 {
  var bits = 0x7fc00000u; // a variable, because WGSL refuses a constant that is NaN
  return bitcast<f32>(bits);
}

fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

// f(x), computed as `value`, or x where x is NaN.
fn keep_nan(value: f32, x: f32) -> f32 { return select(value, x, is_nan(x)); }

fn keep_nans(values: vec4f, x: vec4f) -> vec4f {
  return select(values, x, (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u));
}

// The larger number, or NaN where one of the two is.
fn larger(a: f32, b: f32) -> f32 { return keep_nan(keep_nan(max(a, b), a), b); }

fn is_finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }

fn are_finite(x: vec4f) -> bool { return all((bitcast<vec4u>(x) & vec4u(0x7f800000u)) != vec4u(0x7f800000u)); }
