// out = f(x), with f the function that KIND names.
// One lane four neighbouring elements.
// Bindings: x (read), out (written); `count` elements.

//! include lib/sigmoid.wgsl
//! include lib/erf.wgsl

override KIND: u32 = 0u; // The order of main's branches.

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

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i * 4u >= params.count) { return; }
  let v = x[i];
  switch KIND {
    case 0u: { out[i] = -v; }
    case 1u: { out[i] = exp(v); }
    case 2u: { out[i] = log(v); }
    case 3u: { out[i] = sqrt(v); }
    case 4u: { out[i] = v * v; }
    case 5u: { out[i] = abs(v); }
    case 6u: { out[i] = sigmoid(v); }
    case 7u: { out[i] = log_sigmoid(v); }
    case 8u: { out[i] = v * sigmoid(v); }
    case 9u: { out[i] = max(v, vec4f(0.0)); }
    case 10u: { out[i] = v * normal_cdf(v); }
    default: { out[i] = tanh(clamp(v, vec4f(-15.0), vec4f(15.0))); } // tanh overflows on some adapters.
  }
}
