// The step of Adafactor on a vector (Shazeer & Stern 2018), whose second moment is kept whole, in place:
//   v ← β v + (1 − β) (g² + ε),  u = g / √v,  p ← p · decay − rate · u / max(1, RMS(u))
// with ε = 10⁻³⁰, gain = 1 − β, decay = 1 − η λ, rate = η and g the gradient times gradient_scale, which is on the device.
// The vector is one row (lib/rows.wgsl): one workgroup goes through it twice.
// Bindings: gradient [width], gradient_scale [1] (read), parameter [width], moment, v [width] (read and written).

//! include lib/items.wgsl
//! include lib/rows.wgsl

override SCALED: bool = false;

struct Params { rows: u32, width: u32, beta: f32, gain: f32, decay: f32, rate: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<Item>;
@group(0) @binding(2) var<storage, read> gradient_scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> parameter: array<Item>;
@group(0) @binding(4) var<storage, read_write> moment: array<Item>;

fn gradient_at(i: u32) -> Item {
  if (SCALED) { return gradient[i] * gradient_scale[0]; }
  return gradient[i];
}

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(local_invocation_id) at: vec3u) {
  let items = select(0u, params.width / WIDE, at.y < params.rows);
  var sum = Item();
  for (var i = at.x; i < items; i += LANES) {
    let g = gradient_at(i);
    let v = params.beta * moment[i] + params.gain * (g * g + 1e-30);
    moment[i] = v;
    let u = g * inverseSqrt(v);
    sum += u * u;
  }
  let squares = row_sum(sum_of(sum), at);
  let rate = params.rate / larger(1.0, sqrt(squares / f32(params.width)));
  // A lane reads the moments that it wrote itself.
  for (var i = at.x; i < items; i += LANES) {
    parameter[i] = parameter[i] * params.decay - rate * (gradient_at(i) * inverseSqrt(moment[i]));
  }
}
