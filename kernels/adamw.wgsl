// One step of AdamW with decoupled weight decay (Loshchilov & Hutter 2019), in place:
//   m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  p ← p · decay − rate · m / (√v · root + ε)
// with gain = 1 − β (rounded once, on the host), decay = 1 − η λ, rate = η / (1 − β₁ᵗ), root = 1 / √(1 − β₂ᵗ) and g the gradient times
// gradient_scale, which is on the device.
// One lane four neighbouring elements or, with COLUMN, which trains one column of a matrix, the single element start + i · stride.
// Bindings: gradient, gradient_scale [1] (read), parameter, m, v (read and written).

override SCALED: bool = false;
override COLUMN: bool = false;

struct Params {
  count: u32, start: u32, stride: u32,
  beta1: f32, gain1: f32, beta2: f32, gain2: f32, decay: f32, rate: f32, root: f32, epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read> gradient_scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> parameter: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> v: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  let each = select(4u, 1u, COLUMN);
  if (i * each >= params.count) { return; }
  let element = params.start + i * each * params.stride;
  let at = element / 4u;
  var g = gradient[at];
  if (SCALED) { g *= gradient_scale[0]; }
  let first = params.beta1 * m[at] + params.gain1 * g;
  let second = params.beta2 * v[at] + params.gain2 * g * g;
  let next = parameter[at] * params.decay - params.rate * first / (sqrt(second) * params.root + params.epsilon);
  if (COLUMN) {
    let c = element % 4u;
    m[at][c] = first[c];
    v[at][c] = second[c];
    parameter[at][c] = next[c];
  } else {
    m[at] = first;
    v[at] = second;
    parameter[at] = next;
  }
}
